-- Without an end, long after all faults were over.
select job.id as job_id,
       format('%s, due at %s, attempt %s, worker %s', job.target, job.run_at, job.attempt, job.worker) as detail
from pgqueue.jobs as job
where not exists (select from verify.ended as ended where ended.job_id = job.id)
union all
select w.id, format('%s, at gate %s of its workflow', w.target, w.gate)
from pgqueue.waiting as w
