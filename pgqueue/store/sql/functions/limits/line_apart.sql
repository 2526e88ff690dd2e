-- Into the lane of their task, for jobs of limited tasks that stand at the heads of lanes of keys alone: their limit is
-- younger than they, or their producer did not know of it. Answers how many; whom others have in hand is passed by.
-- Walks jobs_lane, 50 rows a lane; O(lanes log n).
create or replace function pgqueue.line_apart(
  _queue text, _priority smallint, _lanes pgqueue.lane[], _limited text[]) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
declare
  _moved int;
begin
  update pgqueue.jobs as job
  set lane = coalesce(job.limit_key, '') || chr(1) || job.target
  where job.ctid = any (array(
    select stray.ctid
    from unnest(_lanes) as slot
    cross join lateral (
      select head.id, head.target
      from pgqueue.jobs as head
      where head.lined and head.worker is null and head.queue = _queue and head.priority = _priority
        and head.lane = slot.lane
      order by head.queue, head.priority, head.lane, head.run_at, head.id
      limit 50) as head
    cross join lateral (
      select j.ctid from pgqueue.jobs as j
      where j.id = head.id and j.worker is null and j.lined
      for no key update skip locked) as stray
    where slot.target is null and slot.lane <> '' and head.target = any (_limited)));
  get diagnostics _moved = row_count;
  return _moved;
end $$;
