-- The first waiting job without a lane, due or not, of up to _limit slots (queue, priority) behind (_queue, _priority), in that order.
-- A slot whose jobs all run, or whose queue is limited or paused, is told without one; if the pause ends by itself, with the time
-- when it does. A queue that cannot be said in UTF-8 is passed over: it would hide all the others.
-- A loose scan of jobs_claim, two descents a slot, from one slot to the next; O(_limit log n).
create or replace function pgqueue.heads(_queue text, _priority smallint, _limit int)
returns table (queue text, priority smallint, run_at timestamptz, id uuid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with recursive slot as (
    (select job.queue, job.priority from pgqueue.jobs as job
     where job.lane is null and (job.queue, job.priority) > (_queue, _priority)
     order by job.queue, job.priority limit 1)
    union all
    select coming.queue, coming.priority
    from slot
    cross join lateral (
      select job.queue, job.priority from pgqueue.jobs as job
      where job.lane is null and (job.queue, job.priority) > (slot.queue, slot.priority)
      order by job.queue, job.priority limit 1) as coming
  )
  select slot.queue, slot.priority, coalesce(head.run_at, resting.until), head.id
  from slot
  left join lateral (
    select q.name, q.paused_until as until from pgqueue.queues as q
    where q.name = slot.queue and (q.limited or pgqueue.is_paused(q.paused, q.paused_until))
    limit 1) as resting on true
  left join lateral (
    select job.run_at, job.id from pgqueue.jobs as job
    where job.worker is null and job.lane is null and job.queue = slot.queue and job.priority = slot.priority
    order by job.run_at, job.id limit 1) as head
    on resting.name is null
  where getdatabaseencoding() = 'UTF8' or slot.queue = pgqueue.readable(slot.queue)
  limit _limit;
end $$;
