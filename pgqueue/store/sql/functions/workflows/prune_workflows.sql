-- Drop workflows past their keeping time, each as a whole and bit by bit, at most about _max rows a call: those that ended
-- longer ago than _history, and those that wait for their dead jobs longer than _dead. When one ended is found out here,
-- of some that are taken by chance. Answers how many rows went.
-- Walks workflows_open, workflows_ended, dead_jobs_pkey, and what has a workflow; O(_max log n).
create or replace function pgqueue.prune_workflows(_history interval, _dead interval, _max int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _from uuid;
  _old uuid[];
  _id uuid;
  _sum int := 0;
begin
  if not exists (select from pgqueue.workflows) then
    return 0;
  end if;
  foreach _from in array array[
    pgqueue.uuid7_floor(now() - random() * random() * greatest(_history, _dead)), gen_random_uuid()]
  loop
    update pgqueue.workflows as w set ended_at = now()
    where w.id = any (array(
      select few.id
      from (
        select v.id from pgqueue.workflows as v
        where v.ended_at is null and v.id < _from order by v.id desc limit 200) as few
      cross join lateral (
        select from pgqueue.workflows as v where v.id = few.id for update skip locked) as held
      where not exists (select from pgqueue.jobs as job where job.workflow_id = few.id offset 0)
        and not exists (select from pgqueue.waiting as v where v.workflow_id = few.id offset 0)
        and not exists (select from pgqueue.dead_jobs as d where d.workflow_id = few.id offset 0)
        and not exists (select from pgqueue.nodes as node where node.workflow_id = few.id and node.open offset 0)));
  end loop;
  -- Those that nobody has revived: nothing of them can go on.
  _from := pgqueue.uuid7_floor(now() - _dead - random() * random() * _dead);
  update pgqueue.workflows as w set ended_at = '-infinity'
  where w.id = any (array(
    select held.id
    from (
      select d.workflow_id, d.died_at from pgqueue.dead_jobs as d
      where d.id < _from
      order by d.id desc limit 500) as old
    cross join lateral (
      select v.id from pgqueue.workflows as v where v.id = old.workflow_id for update skip locked) as held
    where old.workflow_id is not null and old.died_at < now() - _dead
      and not exists (select from pgqueue.jobs as job where job.workflow_id = old.workflow_id offset 0)
      and not exists (
        select from pgqueue.dead_jobs as d where d.workflow_id = old.workflow_id and d.died_at >= now() - _dead offset 0)))
    and w.ended_at is null;
  _old := array(
    select w.id from pgqueue.workflows as w
    where w.ended_at < now() - _history
    order by w.ended_at limit 100
    for update skip locked);
  foreach _id in array _old loop
    exit when _sum >= _max;
    _sum := _sum + pgqueue.forget_workflow(_id, _max - _sum);
  end loop;
  return _sum;
end $$;
