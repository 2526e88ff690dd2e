-- As search_live, of the one job that has the unique key $15. Walks jobs_unique.
with looked as materialized (
  select job.*
  from pgqueue.jobs_shown as job
  where job.unique_key = $15::text and job.id >= $10::uuid and job.id < $11::uuid
    and ($14::uuid[] is null or job.id = any ($14))
  order by job.id desc
  limit $12::int
)
\ir parts/placed_live
