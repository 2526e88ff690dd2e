-- How fast each queue fills and empties: jobs that come in and that end a minute, lately (_within); how long attempts
-- waited and ran, seconds, within three times that; and how many jobs there were `before`, two times _within ago at most.
-- What comes in is told by the ids of jobs (entered.sql); what ends is counted by workers, which say so once a minute:
-- the last minute but one is the newest that is whole. Null is what nobody knows.
-- Looks at 20,000 jobs of each table and at 50,000 rows of tallies; O(those).
create or replace function pgqueue.queue_rates(_within interval default '5 minutes')
returns table (
  queue text, in_per_min float8, out_per_min float8, wait_p50 float8, wait_p95 float8, run_p50 float8, run_p95 float8,
  before bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  -- The end of the newest minute that every worker has told of.
  _told constant timestamptz := date_trunc('minute', now()) - interval '1 minute';
begin
  return query
  with coming as (
    select * from pgqueue.entered(_within)
  ), going as (
    select counted.queue, sum(counted.ended) filter (where counted.minute < _told) as whole,
           min(counted.minute) filter (where counted.minute < _told) as whole_since,
           sum(counted.ended) as part, min(counted.minute) as part_since
    from pgqueue.tallied(_told - _within, now(), 50000) as counted
    group by counted.queue
  ), timed as (
    select * from pgqueue.timings(now() - 3 * _within, 'queue', null, null, 50000)
  ), depth as (
    select distinct on (noted.queue) noted.queue, noted.ready + noted.later + noted.running as jobs
    from pgqueue.depths as noted
    where noted.span = 60 and noted.minute >= now() - 2 * _within and noted.minute < now() - interval '50 seconds'
    order by noted.queue, noted.minute
  ), names as (
    select coming.queue from coming union select going.queue from going union select timed.name from timed
    union select depth.queue from depth
  )
  select names.queue, case when coming.queue is null then 0 else coming.jobs * 60 / greatest(1, coming.seconds) end,
         case when going.whole_since is not null
                then going.whole * 60 / extract(epoch from _told - going.whole_since)::float8
              when going.part_since is not null
                then going.part * 60 / greatest(10, extract(epoch from now() - going.part_since)::float8)
              -- Nothing has ended for so long; or nobody counts.
              when exists (select from pgqueue.worker_reports) then 0 end,
         timed.wait_p50, timed.wait_p95, timed.run_p50, timed.run_p95, depth.jobs
  from names
  left join coming on coming.queue = names.queue
  left join going on going.queue = names.queue
  left join timed on timed.name = names.queue
  left join depth on depth.queue = names.queue
  order by names.queue;
end $$;
