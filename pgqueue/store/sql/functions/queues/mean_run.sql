-- How many seconds an attempt at a job of each of these queues takes: on the mean of those among the newest 2,000 attempts; of a
-- queue that has none there, by what was counted in the last day. Null where nothing is known.
-- Walks attempts_pkey backwards, and, if need be, tallies_span; O(2,000), or O(20,000).
create or replace function pgqueue.mean_run(_queues text[])
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
  ), means as (
    select newest.queue, avg(greatest(0, extract(epoch from newest.finished_at - newest.started_at)))::float8 as seconds
    from newest
    where newest.started_at is not null
    group by newest.queue
  ), found as materialized (
    select named.queue, means.seconds
    from unnest(_queues) as named (queue)
    left join means on means.queue = named.queue
  ), counted as materialized (
    select timed.name, pgqueue.mean_of(timed.run) as seconds
    from pgqueue.timings(now() - interval '1 day', 'queue', null, null, 20000) as timed
    where (select bool_or(found.seconds is null) from found)
  )
  select found.queue, coalesce(found.seconds, counted.seconds)
  from found
  left join counted on counted.name = found.queue;
end $$;
