-- What the jobs of a node returned, in the order in which they were enqueued, behind a place: of the node named $2 of the
-- workflow that job $1 is of, or of those that it waited for; with those that its members added. Walks jobs_pkey,
-- nodes_pkey, and results_workflow once a node; O(nodes + limit log n).
with own as materialized (
  select job.workflow_id, job.node from pgqueue.jobs as job
  where job.id operator(pg_catalog.=) $1::pg_catalog.uuid
), named as materialized (
  select node.workflow_id, node.node
  from own
  cross join lateral (
    select each.workflow_id, each.node from pgqueue.nodes as each
    where each.workflow_id operator(pg_catalog.=) own.workflow_id
      and case when $2::pg_catalog.text is null
               then each.node operator(pg_catalog.=) any ((
                 select mine.needs from pgqueue.nodes as mine
                 where mine.workflow_id operator(pg_catalog.=) own.workflow_id
                   and mine.node operator(pg_catalog.=) own.node)::int[])
               else each.name operator(pg_catalog.=) ($2 collate "C") end
    offset 0) as node
), wanted as materialized (
  select named.workflow_id, named.node from named
  union
  select more.workflow_id, more.node
  from named
  cross join lateral (
    select each.workflow_id, each.node from pgqueue.nodes as each
    where each.workflow_id operator(pg_catalog.=) named.workflow_id
      and each.extends operator(pg_catalog.=) named.node
    offset 0) as more
)
select found.node, found.job_id, found.result::pg_catalog.text
from wanted
cross join lateral (
  select r.node, r.job_id, r.result from pgqueue.results as r
  where r.workflow_id operator(pg_catalog.=) wanted.workflow_id
    and r.node operator(pg_catalog.=) wanted.node
    and (wanted.node operator(pg_catalog.>) $3::int
         or wanted.node operator(pg_catalog.=) $3::int and r.job_id operator(pg_catalog.>) $4::pg_catalog.uuid)
  order by r.job_id
  limit $5::int) as found
where wanted.node operator(pg_catalog.>=) $3::int
order by found.node, found.job_id
limit $5::int
