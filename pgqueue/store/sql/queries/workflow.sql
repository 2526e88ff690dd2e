-- One workflow, with its jobs counted up to $2 in each place. Walks workflows_pkey, and what workflow_counts() walks.
\ir parts/workflow_row
from (
  select w.*, pgqueue.workflow_state(w.id, w.asked) as state
  from pgqueue.workflows as w where w.id operator(pg_catalog.=) $1::pg_catalog.uuid) as found
cross join lateral pgqueue.workflow_counts(found.id, $2::pg_catalog.int4) as counts
