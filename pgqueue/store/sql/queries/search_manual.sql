-- As search_live, of the jobs that wait for a human alone. Walks manual_jobs_pkey, jobs_pkey.
with looked as materialized (
  select job.*
  from (
    select manual.job_id, manual.claim
    from pgqueue.manual_jobs as manual
    where manual.job_id >= $10::uuid and manual.job_id < $11::uuid
      and ($14::uuid[] is null or manual.job_id = any ($14))
    order by manual.job_id desc
    limit $12::int) as waiting
  cross join lateral (
    select * from pgqueue.jobs_shown as each where each.id = waiting.job_id and each.claim = waiting.claim offset 0) as job
)
\ir parts/placed_live
