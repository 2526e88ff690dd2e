-- One job by id, whatever its state. Walks jobs_pkey, attempts_pkey, dead_jobs_pkey.
select id, queue, target, args::pg_catalog.text, state, priority, attempt, max_attempts, created_at, run_at, started_at,
       finished_at, worker, unique_key, limit_key, labels::pg_catalog.text, last_error, reason, cost,
       parent_id, root_id, degraded
from pgqueue.job
where id operator(pg_catalog.=) $1::pg_catalog.uuid
