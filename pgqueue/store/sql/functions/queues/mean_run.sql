-- How many seconds an attempt at a job of each queue takes, on the mean of those among the newest 2,000 attempts.
-- Walks attempts_pkey backwards; O(2,000).
create or replace function pgqueue.mean_run()
returns table (queue text, seconds float8)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with newest as materialized (
    select a.queue, a.started_at, a.finished_at
    from pgqueue.attempts as a
    order by a.job_id desc, a.claim desc
    limit 2000
  )
  select newest.queue, avg(greatest(0, extract(epoch from newest.finished_at - newest.started_at)))::float8
  from newest
  where newest.started_at is not null
  group by newest.queue;
end $$;
