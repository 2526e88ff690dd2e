-- Dead jobs $1, with the worker of their last attempt, for who is told of them. Walks dead_jobs_pkey, attempts_pkey;
-- O(jobs log n).
select dead.id, dead.claim, dead.attempt, dead.crashes, dead.max_attempts, dead.timeout, dead.store_result,
       dead.priority, dead.queue, dead.target, dead.args::text, dead.labels::text, dead.run_at,
       coalesce((select ended.worker from pgqueue.attempts as ended
                 where ended.job_id = dead.id order by ended.claim desc limit 1), 0),
       dead.reason, dead.error_type, dead.error, dead.cause
from unnest($1::uuid[]) as told (id)
cross join lateral (select * from pgqueue.dead_jobs as one where one.id = told.id offset 0) as dead
