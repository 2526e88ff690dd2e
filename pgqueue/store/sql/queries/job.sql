-- One job by id, whatever its state. Walks jobs_pkey, attempts_pkey, dead_jobs_pkey.
select id, queue, target, args::text, state, priority, attempt, max_attempts, created_at, run_at, started_at,
       finished_at, worker, unique_key, limit_key, labels::text, last_error, reason
from pgqueue.job
where id = $1::uuid
