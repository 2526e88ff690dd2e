-- As heads(), for all slots of the queues named: a loose scan of each queue's priorities.
-- Walks jobs_claim, a descent a queue and two a slot; O((names + slots) log n).
create or replace function pgqueue.heads_of(_names text[])
returns table (queue text, priority smallint, run_at timestamptz, id uuid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select named.queue, slot.priority, coalesce(head.run_at, resting.until), head.id
  from unnest(_names) as named (queue)
  cross join lateral (
    with recursive found as (
      (select job.priority from pgqueue.jobs as job where job.lane is null and job.queue = named.queue
       order by job.priority limit 1)
      union all
      select (select job.priority from pgqueue.jobs as job
              where job.lane is null and job.queue = named.queue and job.priority > found.priority
              order by job.priority limit 1)
      from found
      where found.priority is not null
    )
    select found.priority from found where found.priority is not null) as slot
  left join lateral (
    select q.name, q.paused_until as until from pgqueue.queues as q
    where q.name = named.queue and (q.limited or pgqueue.is_paused(q.paused, q.paused_until))
    limit 1) as resting on true
  left join lateral (
    select job.run_at, job.id from pgqueue.jobs as job
    where job.worker is null and job.lane is null and job.queue = named.queue and job.priority = slot.priority
    order by job.run_at, job.id limit 1) as head
    on resting.name is null;
end $$;
