-- Rows of a workflow that is past its keeping time go, at most _max of each kind, its own with the last. Answers how many.
-- A part of prune_workflows(). Walks what has a workflow; O(_max log n).
create or replace function pgqueue.forget_workflow(_id uuid, _max int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _n int;
  _sum int := 0;
begin
  -- Of the same workflow: where attempts are partitioned, another partition may have another's row in that place.
  delete from pgqueue.attempts as a
  where a.ctid = any (array(select b.ctid from pgqueue.attempts as b where b.workflow_id = _id limit _max))
    and a.workflow_id = _id;
  get diagnostics _n = row_count;
  _sum := _sum + _n;
  delete from pgqueue.results as r
  where r.ctid = any (array(select b.ctid from pgqueue.results as b where b.workflow_id = _id limit _max));
  get diagnostics _n = row_count;
  _sum := _sum + _n;
  with gone as (
    delete from pgqueue.dead_jobs as d
    where d.id = any (array(
      select b.id from pgqueue.dead_jobs as b where b.workflow_id = _id limit _max for update skip locked))
    returning d.queue, d.target, d.limit_key, d.hold
  ), freed as (
    select array_agg(gone.queue) as queues, array_agg(gone.target) as targets, array_agg(gone.limit_key) as keys,
           array_agg(gone.hold) as holds
    from gone where gone.hold is not null
  ), let_go as (
    select pgqueue.let_go(freed.queues, freed.targets, freed.keys, freed.holds) from freed where freed.holds is not null
  )
  select count(*) + (select count(*) * 0 from let_go) into _n from gone;
  _sum := _sum + _n;
  delete from pgqueue.waiting as w
  where w.ctid = any (array(
    select b.ctid from pgqueue.waiting as b where b.workflow_id = _id limit _max for update skip locked));
  get diagnostics _n = row_count;
  _sum := _sum + _n;
  delete from pgqueue.gates as g
  where g.ctid = any (array(
    select b.ctid from pgqueue.gates as b where b.workflow_id = _id limit _max for update skip locked));
  get diagnostics _n = row_count;
  _sum := _sum + _n;
  delete from pgqueue.arrivals as a
  where a.ctid = any (array(
    select b.ctid from pgqueue.arrivals as b where b.workflow_id = _id limit _max for update skip locked));
  if _sum > 0 then
    return _sum;
  end if;
  delete from pgqueue.nodes as node
  where node.ctid = any (array(select b.ctid from pgqueue.nodes as b where b.workflow_id = _id limit _max));
  get diagnostics _n = row_count;
  if _n < _max then
    delete from pgqueue.workflows as w where w.id = _id;
    _n := _n + 1;
  end if;
  return _n;
end $$;
