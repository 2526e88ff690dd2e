-- What the gates of a workflow are still to count, put right from what is there, after rows were deleted or written by
-- hand; answers how many gates were wrong. A gate that one end alone opens (total 1) stays as it is. Keeps the workflow's
-- gates from opening until the end of the transaction. Walks gates_pkey, jobs_workflow, waiting_pkey,
-- dead_jobs_workflow; O(workflow).
create or replace function pgqueue.mend_workflow(_id uuid) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _mended int;
begin
  perform pgqueue.note_act('workflows mend', _id::text);
  perform from pgqueue.gates as g where g.workflow_id = _id order by g.gate for no key update;
  with owed as (
    select owing.link as gate, count(*)::int as n
    from (
      select distinct job.id::text as by, link from pgqueue.jobs as job
      cross join lateral unnest(job.success_links || job.failure_links) as link where job.workflow_id = _id
      union all
      select distinct w.id::text, link from pgqueue.waiting as w
      cross join lateral unnest(w.success_links || w.failure_links) as link where w.workflow_id = _id
      union all
      select d.id::text, link from pgqueue.dead_jobs as d
      cross join lateral unnest(d.success_links) as link where d.workflow_id = _id
      union all
      select 'gate ' || g.gate, link from pgqueue.gates as g
      cross join lateral unnest(g.links) as link where g.workflow_id = _id
      union all
      select 'node ' || node.node, link from pgqueue.nodes as node
      cross join lateral unnest(node.success_links) as link where node.workflow_id = _id and node.open) as owing
    where owing.link > 0
    group by owing.link
  ), told as (
    select a.gate, sum(a.n)::int as n from pgqueue.arrivals as a where a.workflow_id = _id group by a.gate
  ), right_now as (
    select g.gate, coalesce(owed.n, 0) + coalesce(told.n, 0) as unmet
    from pgqueue.gates as g
    left join owed on owed.gate = g.gate
    left join told on told.gate = g.gate
    where g.workflow_id = _id and g.total <> 1
  ), mended as (
    update pgqueue.gates as g set unmet = right_now.unmet
    from right_now
    where g.workflow_id = _id and g.gate = right_now.gate and g.unmet <> right_now.unmet
    returning g.gate, g.unmet
  ), again as (
    -- Somebody is to open what is complete by this.
    insert into pgqueue.arrivals (workflow_id, gate, n)
    select _id, mended.gate, 0 from mended where mended.unmet <= 0
  )
  select count(*) into _mended from mended;
  return _mended;
end $$;
