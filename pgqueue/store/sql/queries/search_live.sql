-- Jobs that have not ended, newest id first, for a query.
-- Answers how many were looked at, the last of them, and those that $1-$4 leave: states, patterns of queues and of
-- targets, and needles in the error; null says nothing; $13: patterns of queues that are left out. $5, $6, $7, $8:
-- arguments, labels, error and host are wanted; $9: of at most so many bytes. Looks at $12 rows with ids from $10 up to,
-- and below, $11; of those that $14 names, null is any. Walks jobs_pkey.
with looked as materialized (
  select job.*
  from pgqueue.jobs_shown as job
  where job.id >= $10::uuid and job.id < $11::uuid
    and ($14::uuid[] is null or job.id = any ($14))
  order by job.id desc
  limit $12::int
)
\ir parts/placed_live
