-- The attempts of jobs $2 that have ended since $3, at most 5 a job, the newest: in the order in which they did. $1: labels and
-- arguments of at most so many bytes. Walks attempts_pkey, dead_jobs_pkey, jobs_pkey; O(jobs log n).
with ended as materialized (
  select a.*
  from unnest($2::uuid[]) as told (id)
  cross join lateral (
    select * from pgqueue.attempts_shown as each where each.job_id = told.id order by each.claim desc limit 5) as a
  where a.finished_at >= $3::timestamptz
)
\ir parts/ended_columns
order by one.finished_at, one.job_id, one.claim
