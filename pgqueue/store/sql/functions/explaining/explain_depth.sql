-- What waits in a queue, up to 1,000 jobs on each side of now, and which job would be next: a part of explain_queue().
-- Null where it cannot be walked in a bounded time (is_walkable.sql).
-- Walks jobs_claim, jobs_lane, jobs_coming; O(20 log n + 3,000).
create or replace function pgqueue.explain_depth(
  _queue text, out ready int, out later int, out held int, out oldest timestamptz, out next timestamptz, out head uuid, out head_target text,
  out whole boolean, out ready_shown text, out later_shown text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _now constant timestamptz := statement_timestamp();
begin
  if not pgqueue.is_walkable() then
    ready_shown := 'an unknown number'; later_shown := ready_shown; whole := false;
    return;
  end if;
  with plain as materialized (
    select due.* from generate_series(9, 0, -1) as slot (priority)
    cross join lateral (
      select j.id, j.run_at, slot.priority, j.worker, j.target from pgqueue.jobs as j
      where j.lane is null and j.queue = _queue and j.priority = slot.priority and j.run_at <= _now
      order by j.run_at, j.id
      limit 1001) as due
    limit 2001
  ), lined as materialized (
    select due.* from generate_series(9, 0, -1) as slot (priority)
    cross join lateral (
      select j.id, j.run_at, slot.priority, j.worker, j.target from pgqueue.jobs as j
      where j.lined and j.queue = _queue and j.priority = slot.priority
      order by j.lane, j.run_at, j.id
      limit 1001) as due
    limit 2001
  ), due as (
    select * from plain union all select * from lined
  )
  select count(*) filter (where due.worker is null), count(*) filter (where due.worker is not null),
         min(due.run_at) filter (where due.worker is null),
         (array_agg(due.id order by due.priority desc, due.run_at, due.id) filter (where due.worker is null))[1],
         (array_agg(due.target order by due.priority desc, due.run_at, due.id) filter (where due.worker is null))[1]
  into ready, held, oldest, head, head_target
  from due;
  select count(*), min(coming.run_at) into later, next
  from (
    select j.run_at from generate_series(0, 9) as slot (priority)
    cross join lateral (
      select j.run_at from pgqueue.jobs as j
      where j.lane is null and j.queue = _queue and j.priority = slot.priority and j.run_at > _now
      order by j.run_at, j.id
      limit 1001) as j
    union all
    (select j.run_at from pgqueue.jobs as j
     where j.lane is not null and j.lined is null and j.queue = _queue
     order by j.run_at, j.id
     limit 1001)) as coming;
  whole := ready < 1000 and later < 1000;
  ready_shown := case when ready > 1000 then 'more than 1,000' else ready::text end;
  later_shown := case when later > 1000 then 'more than 1,000' else later::text end;
end $$;
