-- How many attempts and jobs ended per queue and step of time (seconds), between two moments; of all queues or of one.
-- A step shorter than the span that a row counts over gets the whole row. Failed are attempts with a cause.
-- Looks at the newest _budget rows of tallies. Walks tallies_span; O(_budget).
create or replace function pgqueue.throughput(
  _since timestamptz, _until timestamptz default now(), _queue text default null, _step float8 default 60,
  _budget int default 400000)
returns table (at timestamptz, queue text, n bigint, ended bigint, failed bigint, degraded boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
-- Grouped as it is read: a sort of so many rows would go to disk.
set enable_sort = off
as $$
#variable_conflict use_column
begin
  return query
  with summed as materialized (
    select date_bin(make_interval(secs => greatest(60, _step)), counted.minute, to_timestamp(0)) as at, counted.queue,
           sum(counted.n)::bigint as n, sum(counted.ended)::bigint as ended,
           coalesce(sum(counted.n) filter (where counted.cause is not null), 0)::bigint as failed,
           bool_or(counted.degraded) as degraded
    from pgqueue.tallied(_since, _until, _budget) as counted
    where counted.outcome <> 'late' and (_queue is null or counted.queue = _queue)
    group by 1, counted.queue
  )
  select summed.* from summed order by summed.at, summed.queue;
end $$;
