-- The nodes of workflow $1 that a picture has room for, at most $2: what is wrong and what runs before what waits, and
-- that before what is done; of the first 20,000, whose jobs are counted up to $3 in each place.
-- Walks what workflow_node_states() walks.
\ir parts/workflow_node
from (
  select * from pgqueue.workflow_node_states($1::pg_catalog.uuid, 0, 20000, $3::pg_catalog.int4) as one
  order by pg_catalog.array_position(
             '{dead,running,manual,retrying,ready,scheduled,open,waiting,cancelled,succeeded}'::pg_catalog.text[],
             one.state) nulls last, one.node
  limit $2::pg_catalog.int4) as each
\ir parts/workflow_node_said
order by each.node
