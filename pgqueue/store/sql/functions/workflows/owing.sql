-- The first jobs that owe an end to a gate of a workflow, dead ones first: an array of job, node, state. What owes it to
-- a gate below counts, too, as of a group that is counted in parts.
-- Walks nodes_pkey, gates_pkey; dead_jobs_workflow, jobs_workflow and waiting_pkey, 2,000 entries of each at most: first
-- of the nodes that the node needs, then of the whole workflow.
create or replace function pgqueue.owing(_workflow uuid, _node int, _gate int, _most int) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _gates int[] := array[_gate];
  _needed int[] := (
    select n.needs || coalesce(n.repairs, '{}') from pgqueue.nodes as n where n.workflow_id = _workflow and n.node = _node);
  _found jsonb;
begin
  for _ in 1 .. 3 loop
    _gates := _gates || array(
      select g.gate from (
        select g.gate, g.links from pgqueue.gates as g where g.workflow_id = _workflow order by g.gate limit 5000) as g
      where g.links && _gates and g.gate <> all (_gates));
  end loop;
  for _round in 1 .. 2 loop
    with there as (
      (select d.id, d.node, 'dead' as state, d.success_links,
              -- What its end without success was to count is counted.
              '{}'::int[] as failure_links, 1 as place
       from pgqueue.dead_jobs as d
       where d.workflow_id = _workflow and d.node = any (_needed) order by d.node limit 2000)
      union all
      (select job.id, job.node, case when job.worker >= 0 then 'running' when job.worker = -1 then 'manual'
                                     when job.run_at <= statement_timestamp() then 'ready'
                                     when job.attempt > 0 then 'retrying' else 'scheduled' end,
              job.success_links, job.failure_links, 2
       from pgqueue.jobs as job
       where job.workflow_id = _workflow and job.node = any (_needed) order by job.node limit 2000)
      union all
      (select w.id, w.node, 'waiting', w.success_links, w.failure_links, 3
       from pgqueue.waiting as w where w.workflow_id = _workflow order by w.gate limit 2000)
    ), owing as (
      select there.id, there.node, there.state, there.place from there
      where there.success_links && _gates or there.failure_links && _gates
      order by there.place, there.node, there.id
      limit _most
    )
    select coalesce(jsonb_agg(jsonb_build_object(
             'job', owing.id, 'state', owing.state,
             'node', left(coalesce(n.name, owing.node::text), 200)) order by owing.place, owing.node, owing.id), '[]')
    into _found
    from owing left join pgqueue.nodes as n on n.workflow_id = _workflow and n.node = owing.node;
    exit when _found <> '[]';
    _needed := array(
      select n.node from pgqueue.nodes as n where n.workflow_id = _workflow order by n.node limit 20000);
  end loop;
  return _found;
end $$;
