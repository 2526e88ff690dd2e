-- All workers with the number of jobs they hold. Reads every row of jobs.
select worker.id, worker.host, worker.pid, worker.queues, worker.executor, worker.concurrency, worker.started_at,
       worker.expires_at, worker.expires_at > clock_timestamp() as alive, coalesce(held.count, 0) as running,
       worker.asked
from pgqueue.workers as worker
left join (
  select job.worker, count(*) from pgqueue.jobs as job where job.worker is not null group by job.worker) as held
  on held.worker = worker.id
order by worker.started_at, worker.id
