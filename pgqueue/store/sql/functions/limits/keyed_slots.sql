-- The slots (queue, priority) of these queues that a claim of keyed jobs may find something in: those with jobs in
-- lanes, and those of limited queues. Higher priorities first.
-- Loose scans of jobs_lane and jobs_claim, one probe a slot; O(slots log n).
create or replace function pgqueue.keyed_slots(_queues text[], out slots text[], out priorities smallint[])
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  with recursive found (queue, priority) as (
    select served.queue, (
      select j.priority from pgqueue.jobs as j
      where j.lined and j.queue = served.queue order by j.priority desc limit 1)
    from unnest(_queues) as served (queue)
    union all
    select found.queue, (
      select j.priority from pgqueue.jobs as j
      where j.lined and j.queue = found.queue and j.priority < found.priority order by j.priority desc limit 1)
    from found
    where found.priority is not null
  ), plain (queue, priority) as (
    select q.name, (
      select j.priority from pgqueue.jobs as j
      where j.lane is null and j.queue = q.name order by j.priority desc limit 1)
    from pgqueue.queues as q
    where q.limited and q.name = any (_queues)
    union all
    select plain.queue, (
      select j.priority from pgqueue.jobs as j
      where j.lane is null and j.queue = plain.queue and j.priority < plain.priority order by j.priority desc limit 1)
    from plain
    where plain.priority is not null
  ), slot as (
    select found.queue, found.priority from found where found.priority is not null
    union
    select plain.queue, plain.priority from plain where plain.priority is not null
  )
  select array_agg(slot.queue order by slot.priority desc, slot.queue),
         array_agg(slot.priority order by slot.priority desc, slot.queue)
  into slots, priorities
  from slot;
end $$;
