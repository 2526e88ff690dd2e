-- One row a node of a workflow: a job, or a group of `total`, and where its jobs are. Ask it for one workflow:
-- `where workflow_id = ...`; of more than 10,000 it has the first. Costs what workflow_node_states() costs.
create or replace view pgqueue.workflow_nodes as
  select w.id as workflow_id, each.node, each.name, each.target, each.needs, each.repairs, each.optional,
         each.callback, each.job_id, each.state, each.total, each.succeeded, each.running, each.ready, each.retrying, each.scheduled, each.manual,
         each.waiting, each.dead, each.cancelled, each.exact
  from pgqueue.workflows as w
  cross join lateral pgqueue.workflow_node_states(w.id, 0, 10000, 100000) as each;
