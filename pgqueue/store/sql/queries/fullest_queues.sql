-- The $1 queues that seem to have most ready jobs, in 2,000 pages of `jobs` taken by chance but always the same. O(1).
select job.queue
from pgqueue.jobs as job
  tablesample system (100 * least(1, 2000.0 / greatest(1, pg_relation_size('pgqueue.jobs') / 8192))) repeatable (1)
where job.worker is null and job.run_at <= now()
  and (getdatabaseencoding() = 'UTF8' or job.queue = pgqueue.readable(job.queue))
group by job.queue
order by count(*) desc, job.queue
limit $1::int
