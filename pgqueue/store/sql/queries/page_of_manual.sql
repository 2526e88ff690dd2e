-- As page_of_live, of the jobs that wait for a human alone. Walks manual_jobs_pkey, jobs_pkey.
\ir parts/live_row
from (
  select job.*, 'manual' as state
  from (
    select manual.job_id, manual.claim
    from pgqueue.manual_jobs as manual
    where $4::uuid is null or manual.job_id < $4
    order by manual.job_id desc
    limit $5::int) as waiting
  cross join lateral (
    select * from pgqueue.jobs_shown as each
    where each.id = waiting.job_id and each.claim = waiting.claim and each.worker = -1 offset 0) as job) as looked
where looked.state = any ($1::text[])
  and ($2::text is null or looked.queue = $2)
  and ($3::text is null or looked.target = $3)
order by looked.id desc
limit $6::int
