-- How a workflow stands: cancelled (it was asked, or what it needs was called off), running (something of it can run,
-- waits for a gate, or may still be added), failed (something that it needs is dead, and nothing can run), succeeded.
-- What is `optional` in it does not count: it was allowed to fail, or is there for the failure of others. Nor does what
-- is dead, and was repaired by another node.
-- Walks jobs_workflow, dead_jobs_workflow, waiting_pkey, gates_pkey, attempts_called_off, nodes_pkey: an entry of each as
-- a rule; of one with dead jobs all nodes, and 10,000 at most of what is dead.
create or replace function pgqueue.workflow_state(_id uuid, _asked text) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  if _asked = 'cancel' then
    return 'cancelled';
  end if;
  if exists (select from pgqueue.jobs as job where job.workflow_id = _id) then
    return 'running';
  end if;
  if exists (select from pgqueue.dead_jobs as dead where dead.workflow_id = _id) and exists (
    with needed as (
      select coalesce(n.extends, dead.node) as node
      from (
        select distinct each.node from (
          select d.node from pgqueue.dead_jobs as d where d.workflow_id = _id order by d.node limit 10000) as each) as dead
      left join pgqueue.nodes as n on n.workflow_id = _id and n.node = dead.node
      where not coalesce(n.optional, false)
    ), repaired as (
      select mended.node
      from pgqueue.nodes as r
      cross join lateral unnest(r.repairs) as mended (node)
      where r.workflow_id = _id and r.repairs is not null
        and not exists (select from pgqueue.dead_jobs as d where d.workflow_id = _id and d.node = r.node)
        and not exists (select from pgqueue.waiting as w where w.workflow_id = _id and w.node = r.node)
        and not exists (
          select from pgqueue.attempts as a
          where a.workflow_id = _id and a.outcome = 'cancelled' and a.node = r.node)
    )
    select from needed where not exists (select from repaired where repaired.node = needed.node))
  then
    return 'failed';
  end if;
  if exists (select from pgqueue.waiting as w where w.workflow_id = _id) or (
    -- An open group keeps its gate, too.
    exists (select from pgqueue.gates as g where g.workflow_id = _id)
    and exists (select from pgqueue.nodes as n where n.workflow_id = _id and n.open))
  then
    return 'running';
  end if;
  if exists (
    select from (
      select ended.node from pgqueue.attempts as ended
      where ended.workflow_id = _id and ended.outcome = 'cancelled' order by ended.node limit 10000) as off
    where not coalesce((
      select n.optional or n.callback from pgqueue.nodes as n where n.workflow_id = _id and n.node = off.node), false))
  then
    return 'cancelled';
  end if;
  return 'succeeded';
end $$;
