-- coming -> in line, for keyed jobs that have fallen due; and into the lanes of their task, for jobs of limited tasks
-- whose producers did not know. At most about _most of each, in these queues; whom others have in hand is passed by.
-- Answers when the next of them falls due: null if none comes.
-- Walks jobs_coming and, while tasks have limits, the head of jobs_claim, once per slot; O(queues log n + _most).
create or replace function pgqueue.line_up(_queues text[], _limited text[], _most int) returns timestamptz
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
declare
  _each constant int := greatest(20, _most / greatest(1, 10 * cardinality(_queues)));
begin
  update pgqueue.jobs as job
  set lined = true
  where job.ctid = any (array(
    select due.ctid
    from unnest(_queues) as served (queue)
    cross join lateral (
      select j.ctid from pgqueue.jobs as j
      where j.lane is not null and j.lined is null and j.worker is null and j.queue = served.queue
        and j.run_at <= now()
      order by j.queue, j.run_at, j.id
      limit _most
      for no key update skip locked) as due
    limit _most));
  if _limited is not null then
    update pgqueue.jobs as job
    set lane = coalesce(job.limit_key, '') || chr(1) || job.target, lined = true
    where job.ctid = any (array(
      select stray.ctid
      from unnest(_queues) as served (queue)
      cross join generate_series(9, 0, -1) as slot (priority)
      cross join lateral (
        select j.ctid
        from (
          select head.ctid, head.id, head.target from pgqueue.jobs as head
          where head.lane is null and head.queue = served.queue and head.priority = slot.priority
            and head.worker is null and head.run_at <= now()
          order by head.run_at, head.id
          limit _each) as head
        cross join lateral (
          select j.ctid from pgqueue.jobs as j
          where j.id = head.id and j.worker is null and j.lane is null
          for no key update skip locked) as j
        where head.target = any (_limited)) as stray));
  end if;
  return (
    select min(coming.run_at)
    from unnest(_queues) as served (queue)
    cross join lateral (
      select j.run_at from pgqueue.jobs as j
      where j.lane is not null and j.lined is null and j.queue = served.queue and j.worker is null
      order by j.queue, j.run_at
      limit 1) as coming);
end $$;
