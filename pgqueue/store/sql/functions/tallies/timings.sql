-- How many attempts ended, and how long they waited and ran, since a moment: of each queue or each target (_by), of all or
-- of one. Failed are those with a cause. Looks at the newest _budget rows of tallies; `since` is how far that went.
-- Seconds; quantiles are off by a few percent as a rule, and by less than a factor of 2.3 (quantile.sql).
-- Walks tallies_span, of the span that fits the time; O(_budget).
create or replace function pgqueue.timings(
  _since timestamptz, _by text default 'queue', _queue text default null, _target text default null,
  _budget int default 100000)
returns table (
  name text, n bigint, ended bigint, failed bigint,
  wait_p50 float8, wait_p95 float8, wait_p99 float8, run_p50 float8, run_p95 float8, run_p99 float8,
  since timestamptz, degraded boolean, wait bigint[], run bigint[])
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
-- Grouped as it is read: a sort of so many rows would go to disk.
set enable_sort = off
as $$
#variable_conflict use_column
declare
  -- Null if there is no more than that.
  _oldest constant timestamptz := (
    select min(looked.minute) from pgqueue.tallied(_since, now(), _budget) as looked having count(*) = _budget);
begin
  return query
  with summed as materialized (
    select case _by when 'target' then looked.target else looked.queue end as name,
           sum(looked.n)::bigint as n, sum(looked.ended)::bigint as ended,
           coalesce(sum(looked.n) filter (where looked.cause is not null), 0)::bigint as failed,
           array[
             sum(looked.wait[1]), sum(looked.wait[2]), sum(looked.wait[3]), sum(looked.wait[4]),
             sum(looked.wait[5]), sum(looked.wait[6]), sum(looked.wait[7]), sum(looked.wait[8]),
             sum(looked.wait[9]), sum(looked.wait[10]), sum(looked.wait[11]), sum(looked.wait[12]),
             sum(looked.wait[13]), sum(looked.wait[14]), sum(looked.wait[15]), sum(looked.wait[16]),
             sum(looked.wait[17]), sum(looked.wait[18]), sum(looked.wait[19]), sum(looked.wait[20]),
             sum(looked.wait[21]), sum(looked.wait[22]), sum(looked.wait[23]), sum(looked.wait[24]),
             sum(looked.wait[25])]::bigint[] as wait,
           array[
             sum(looked.run[1]), sum(looked.run[2]), sum(looked.run[3]), sum(looked.run[4]), sum(looked.run[5]),
             sum(looked.run[6]), sum(looked.run[7]), sum(looked.run[8]), sum(looked.run[9]), sum(looked.run[10]),
             sum(looked.run[11]), sum(looked.run[12]), sum(looked.run[13]), sum(looked.run[14]),
             sum(looked.run[15]), sum(looked.run[16]), sum(looked.run[17]), sum(looked.run[18]),
             sum(looked.run[19]), sum(looked.run[20]), sum(looked.run[21]), sum(looked.run[22]),
             sum(looked.run[23]), sum(looked.run[24]), sum(looked.run[25])]::bigint[] as run,
           bool_or(looked.degraded) as degraded
    from pgqueue.tallied(_since, now(), _budget) as looked
    where looked.outcome <> 'late'
      and (_queue is null or looked.queue = _queue) and (_target is null or looked.target = _target)
    group by 1
  )
  select summed.name collate "C", summed.n, summed.ended, summed.failed,
         pgqueue.quantile(summed.wait, 0.5), pgqueue.quantile(summed.wait, 0.95), pgqueue.quantile(summed.wait, 0.99),
         pgqueue.quantile(summed.run, 0.5), pgqueue.quantile(summed.run, 0.95), pgqueue.quantile(summed.run, 0.99),
         greatest(_since, _oldest), summed.degraded,
         summed.wait, summed.run
  from summed
  order by summed.name;
end $$;
