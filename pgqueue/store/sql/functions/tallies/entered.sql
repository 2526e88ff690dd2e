-- How many jobs came into each queue lately, and in how many seconds: in the time asked for, or in the part of it that
-- the newest _budget jobs of each table cover. By the times in their ids: those made elsewhere in another way are not
-- seen. Walks jobs_pkey, attempts_pkey and dead_jobs_pkey backwards; O(_budget).
create or replace function pgqueue.entered(_within interval, _budget int default 20000)
returns table (queue text, jobs bigint, seconds float8)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _floor constant uuid := pgqueue.uuid7_floor(clock_timestamp() - _within);
begin
  return query
  with live as materialized (
    select job.id, job.queue from pgqueue.jobs as job where job.id >= _floor order by job.id desc limit _budget
  ), history as materialized (
    select a.job_id as id, a.queue, a.outcome from pgqueue.attempts as a
    where a.job_id >= _floor order by a.job_id desc limit _budget
  ), dead as materialized (
    select d.id, d.queue from pgqueue.dead_jobs as d where d.id >= _floor order by d.id desc limit _budget
  ), seen as (
    -- Of each that was not walked to its end, the oldest: below it, others may have jobs that were not looked at.
    select greatest(
      _floor,
      (select live.id from live order by live.id limit (select count(*) = _budget from live)::int),
      (select history.id from history order by history.id limit (select count(*) = _budget from history)::int),
      (select dead.id from dead order by dead.id limit (select count(*) = _budget from dead)::int)) as floor
  )
  select found.queue collate "C", count(*), greatest(0.001, pgqueue.seconds_since(seen.floor))
  from (
    select live.id, live.queue from live
    union all
    select history.id, history.queue from history where history.outcome in ('succeeded', 'cancelled')
    union all
    select dead.id, dead.queue from dead) as found
  cross join seen
  where found.id >= seen.floor
  group by found.queue, seen.floor;
end $$;
