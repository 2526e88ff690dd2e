-- The workflow that job $1 is a member of, and the name of its node; no row if it is none's.
-- Walks jobs_pkey, dead_jobs_pkey, waiting_id, attempts_pkey, workflows_pkey, nodes_pkey; O(log n).
select w.id, w.name, coalesce(n.name, one.node::text)
from (
  (select job.workflow_id, job.node from pgqueue.jobs as job where job.id = $1::uuid)
  union all
  (select dead.workflow_id, dead.node from pgqueue.dead_jobs as dead where dead.id = $1::uuid)
  union all
  (select held.workflow_id, held.node from pgqueue.waiting as held where held.id = $1::uuid)
  union all
  (select ended.workflow_id, ended.node from pgqueue.attempts as ended
   where ended.job_id = $1::uuid order by ended.claim desc limit 1)
  limit 1) as one
join pgqueue.workflows as w on w.id = one.workflow_id
left join pgqueue.nodes as n on n.workflow_id = one.workflow_id and n.node = one.node
