-- Since when a job waits for a human, and why: a part of explain(). Walks manual_jobs_pkey, attempts_pkey backwards;
-- O(log n).
create or replace function pgqueue.explain_manual(_job pgqueue.jobs)
returns table (code text, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := statement_timestamp();
  _error text;
begin
  select concat_ws(': ', last.error_type, nullif(left(last.error, 300), '')) into _error
  from pgqueue.attempts as last
  where last.job_id = _job.id and last.error is not null
  order by last.claim desc
  limit 1;
  code := 'manual';
  text := format('it has waited for a human for %s, %s%s',
                 pgqueue.time_between(_job.started_at, _now),
                 coalesce('since ' || array_to_string(_job.fallen_from, ' and ') || ' gave up',
                          'as the job that brought it asked'),
                 coalesce('; ' || nullif(_error, ''), ''));
  detail := jsonb_strip_nulls(jsonb_build_object(
    'since', _job.started_at, 'fallen_from', _job.fallen_from, 'error', nullif(_error, ''),
    'reason', (select manual.reason from pgqueue.manual_jobs as manual where manual.job_id = _job.id)));
  cure := 'pgqueue manual show ' || _job.id;
  return next;
end $$;
