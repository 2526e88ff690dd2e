-- What is to be said of the job of each: of one that is dead, or of the first dead one of a group, why.
-- Walks dead_jobs_workflow, jobs_pkey, attempts_pkey backwards; O(log n) each.
left join lateral (
  (select dead.attempt::pg_catalog.int4 as attempt, dead.started_at, dead.died_at as finished_at,
          pg_catalog.concat_ws(': ', dead.error_type, pg_catalog."left"(dead.error, 300)) as error, dead.id as dead_id
   from pgqueue.dead_jobs as dead
   where each.dead operator(pg_catalog.>) 0 and dead.workflow_id operator(pg_catalog.=) $1::pg_catalog.uuid
     and dead.node operator(pg_catalog.=) each.node
   order by dead.id
   limit 1)
  union all
  (select job.attempt::pg_catalog.int4, job.started_at, null, null, null
   from pgqueue.jobs as job where job.id operator(pg_catalog.=) each.job_id)
  union all
  (select last.attempt::pg_catalog.int4, last.started_at, last.finished_at, null, null
   from (
     select * from pgqueue.attempts_shown as a
     where a.job_id operator(pg_catalog.=) each.job_id
     order by a.claim desc
     limit 1) as last
   where last.outcome operator(pg_catalog.=) 'succeeded')
  limit 1) as said on true
