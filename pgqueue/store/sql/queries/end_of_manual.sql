-- As end_of_live, of the jobs that wait for a human. Walks manual_jobs_pkey.
select manual.job_id
from pgqueue.manual_jobs as manual
where $1::uuid is null or manual.job_id < $1
order by manual.job_id desc
offset $2::int - 1
limit 1
