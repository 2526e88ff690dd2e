-- The nodes of workflow $1 behind $2 in order, at most $3; their jobs are counted up to $4 in each place.
-- Walks what workflow_node_states() walks.
\ir parts/workflow_node
from pgqueue.workflow_node_states($1::pg_catalog.uuid, $2::pg_catalog.int4, $3::pg_catalog.int4, $4::pg_catalog.int4)
  as each
\ir parts/workflow_node_said
order by each.node
