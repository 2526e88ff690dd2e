-- Jobs in some states, newest id first, below a given id to page on.
-- Walks the primary keys of the tables that can hold these states backwards, until $5 rows are found.
with live as (
  select job.id,
         case when job.worker is not null then 'running'
              when job.run_at <= statement_timestamp() then 'ready'
              when job.attempt > 0 then 'retrying'
              else 'scheduled' end as state,
         job.queue, job.target
  from pgqueue.jobs as job
  where $1::text[] && '{scheduled,ready,running,retrying}'
), found as (
  (select live.id from live
   where live.state = any ($1::text[]) and ($4::uuid is null or live.id < $4)
     and ($2::text is null or live.queue = $2) and ($3::text is null or live.target = $3)
   order by live.id desc limit $5::int)
  union all
  (select ended.job_id from pgqueue.attempts as ended
   where ended.outcome = any ($1::text[]) and ended.outcome in ('succeeded', 'cancelled')
     and $1::text[] && '{succeeded,cancelled}' and ($4::uuid is null or ended.job_id < $4)
     and ($2::text is null or ended.queue = $2) and ($3::text is null or ended.target = $3)
   order by ended.job_id desc limit $5::int)
  union all
  (select dead.id from pgqueue.dead_jobs as dead
   where 'dead' = any ($1::text[]) and ($4::uuid is null or dead.id < $4)
     and ($2::text is null or dead.queue = $2) and ($3::text is null or dead.target = $3)
   order by dead.id desc limit $5::int)
)
select job.id, job.queue, job.target, job.args::text, job.state, job.priority, job.attempt, job.max_attempts,
       job.created_at, job.run_at, job.started_at, job.finished_at, job.worker, job.unique_key, job.limit_key,
       job.labels::text, job.last_error, job.reason
from (select found.id from found order by found.id desc limit $5::int) as newest
cross join lateral (select * from pgqueue.job as job where job.id = newest.id) as job
order by job.id desc
