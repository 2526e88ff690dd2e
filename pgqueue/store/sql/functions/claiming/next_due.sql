-- When the next job without a lane that is not yet due will be, in these slots, or the next of their queues goes on that is paused for
-- a while; null if none.
-- In plpgsql, which keeps its plan: a function in SQL would be parsed and planned anew at every call.
-- Walks jobs_claim once per slot, queues_pkey once per queue; O(slots log n).
create or replace function pgqueue.next_due(_queues text[], _priorities smallint[]) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
as $$
begin
  return least((
    select min(coming.run_at)
    from unnest(_queues, _priorities) as slot (queue, priority)
    cross join lateral (
      select job.run_at
      from pgqueue.jobs as job
      where job.lane is null and job.queue = slot.queue and job.priority = slot.priority and job.run_at > now()
      order by job.run_at
      limit 1) as coming), (
    select min(q.paused_until)
    from pgqueue.queues as q
    where q.paused and q.paused_until > now() and q.name = any (_queues)));
end $$;
