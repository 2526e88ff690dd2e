-- How far jobs are, as their attempts say: at most 1,000 rows, each an object with job, claim and done, and as there is
-- need total, note and age (seconds since it was said). For workers in any language; written over in place.
-- Fenced: counts with the token of the current lease, or of an attempt that this worker has settled: its last word may
-- come behind its end. That of an attempt that was lost, or has a later one's word before it, changes nothing. What
-- makes no sense is left out. Answers how many rows were written. Tells those who watch.
-- Never writes or locks a row of `jobs`. Walks jobs_pkey, attempts_pkey, progress_pkey; O(rows log n).
create or replace function pgqueue.note_progress(_worker bigint, _rows json) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _written uuid[];
begin
  if json_typeof(_rows) is distinct from 'array' or json_array_length(_rows) > 1000 then
    raise exception 'rows must be a JSON array of at most 1,000 objects, got %',
        case when json_typeof(_rows) = 'array' then json_array_length(_rows)::text else json_typeof(_rows) end
      using errcode = 'invalid_parameter_value';
  end if;
  with told as materialized (
    -- Of two attempts at one job the later.
    select distinct on (said.job) said.job, said.claim, said.done, said.note,
           case when said.total > 0 and said.total < 'infinity' then said.total end as total,
           clock_timestamp() - make_interval(secs => greatest(0, least(coalesce(said.age, 0), 86400))) as at
    from json_to_recordset(_rows) as said (job uuid, claim int, done float8, total float8, note text, age float8)
    where said.job is not null and said.claim is not null and said.done > '-infinity' and said.done < 'infinity'
    order by said.job, said.claim desc
  ), written as (
    insert into pgqueue.progress as known (job_id, at, since, since_done, done, total, claim, attempt, note)
    select told.job, told.at, told.at, told.done, told.done, told.total, told.claim, held.attempt, left(told.note, 500)
    from told
    cross join lateral (
      select job.attempt from pgqueue.jobs as job
      where job.id = told.job and job.claim = told.claim and job.worker = _worker
      union all
      select ended.attempt from pgqueue.attempts as ended
      where ended.job_id = told.job and ended.claim = told.claim and ended.worker = _worker
        and ended.outcome not in ('late', 'lost')
      limit 1) as held
    order by told.job
    on conflict (job_id) do update
    set at = excluded.at, done = excluded.done, total = excluded.total, claim = excluded.claim,
        attempt = excluded.attempt, note = excluded.note,
        since = case when known.claim = excluded.claim then known.since else excluded.since end,
        since_done = case when known.claim = excluded.claim then known.since_done else excluded.since_done end
    where known.claim <= excluded.claim
    returning known.job_id
  )
  select coalesce(array_agg(written.job_id), '{}') into _written from written;
  perform pgqueue.tell_progress(_written);
  return cardinality(_written);
end $$;
