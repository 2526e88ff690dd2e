-- Jobs that succeeded or were cancelled, newest id first, for a query: looks at attempts.
-- Answers how many were looked at, the last of them, and those that $1-$4 leave: states, patterns of queues and of
-- targets, and needles in the error; null says nothing; $13: patterns of queues that are left out. $5, $6, $7, $8:
-- arguments, labels, error and host are wanted; $9: of at most so many bytes. Looks at $12 rows with ids from $10 up to,
-- and below, $11; of those that $14 names, null is any. Walks attempts_pkey.
with looked as materialized (
  select ended.*
  from pgqueue.attempts_shown as ended
  where ended.job_id >= $10::uuid and ended.job_id < $11::uuid
    and ($14::uuid[] is null or ended.job_id = any ($14))
  order by ended.job_id desc, ended.claim desc
  limit $12::int
)
\ir parts/ended_candidates
