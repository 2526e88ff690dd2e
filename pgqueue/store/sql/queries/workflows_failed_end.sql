-- The last of the first $2 workflows below $1 that have dead jobs; no row if there are fewer. Walks dead_jobs_workflow.
select looked.last
from (
  select pg_catalog.count(*) as n, (pg_catalog.array_agg(bad.workflow_id order by bad.workflow_id))[1] as last
  from pgqueue.workflows_with_dead($1::pg_catalog.uuid, $2::pg_catalog.int4) as bad) as looked
where looked.n operator(pg_catalog.>=) $2::pg_catalog.int4
