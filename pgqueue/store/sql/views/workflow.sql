-- One row a workflow: how it stands as a whole, and where its jobs are, each place counted up to 1,000. Asked for by id
-- it costs an entry of some indexes; for a state it looks at every workflow, so bound it: `order by id desc limit 50`.
create or replace view pgqueue.workflow as
  select w.id, w.name, pgqueue.workflow_state(w.id, w.asked) as state, w.created_at, w.deadline, w.unique_key, w.asked,
         w.asked_at, w.labels, counts.nodes, counts.total, counts.succeeded, counts.running, counts.pending,
         counts.waiting, counts.dead, counts.cancelled, counts.exact
  from pgqueue.workflows as w
  cross join lateral pgqueue.workflow_counts(w.id, 1000) as counts;
