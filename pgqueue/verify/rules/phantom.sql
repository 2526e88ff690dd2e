-- Phantoms: jobs whose enqueue did not commit.
select job.id as job_id, format('%s, %s, asked for by nobody', job.target, job.state) as detail
from pgqueue.job as job
where not exists (select from verify.asked as asked where asked.created and asked.job_id = job.id)
union all
select told.job_id, 'its transaction was rolled back'
from verify.told as told
where not told.committed and exists (
  select from verify.asked as asked where asked.created and asked.job_id = told.job_id)
