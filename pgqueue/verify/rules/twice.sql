-- There twice: two rows of one job, or one job created by two calls.
select job.id as job_id, string_agg(job.state, ', ' order by job.state) as detail
from pgqueue.job as job
group by job.id
having count(*) > 1
union all
select asked.job_id, format('created by %s calls', count(*))
from verify.asked as asked
where asked.created
group by asked.job_id
having count(*) > 1
