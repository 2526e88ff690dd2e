-- What can be signed of job $1, which waits or is dead, under its first target; held, so that it stays so until the end of
-- the transaction. Walks jobs_pkey, dead_jobs_pkey; O(log n).
with waits as (
  select coalesce(job.fallen_from[1], job.target), job.args::text, job.queue,
         coalesce((job.own_terms ->> 'max_attempts')::int, job.max_attempts), job.labels::text, job.headers::text
  from pgqueue.jobs as job
  where job.id = $1::uuid and job.worker is null
  for update
), dead as (
  select coalesce(d.fallen_from[1], d.target), d.args::text, d.queue,
         coalesce((d.own_terms ->> 'max_attempts')::int, d.max_attempts), d.labels::text, d.headers::text
  from pgqueue.dead_jobs as d
  where d.id = $1::uuid
  for update
)
select * from waits union all select * from dead
