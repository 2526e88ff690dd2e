-- How many attempts and jobs ended per queue and step of time (seconds), between two moments; of all queues or of one.
-- A step shorter than the span that a row counts over gets the whole row. Failed are attempts with a cause.
-- Looks at the newest _budget rows of tallies. Walks tallies_span; O(_budget).
create or replace function pgqueue.throughput(
  _since timestamptz, _until timestamptz default now(), _queue text default null, _step float8 default 60,
  _budget int default 200000)
returns table (at timestamptz, queue text, n bigint, ended bigint, failed bigint, degraded boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select to_timestamp(floor(extract(epoch from counted.minute) / greatest(60, _step)) * greatest(60, _step)) as at,
         counted.queue, sum(counted.n)::bigint, sum(counted.ended)::bigint,
         coalesce(sum(counted.n) filter (where counted.cause is not null), 0)::bigint, bool_or(counted.degraded)
  from pgqueue.tallied(_since, _until, _budget) as counted
  where counted.outcome <> 'late' and (_queue is null or counted.queue = _queue)
  group by 1, counted.queue
  order by 1, counted.queue;
end $$;
