-- The ended attempts of a job, oldest first. Walks attempts_pkey.
select job_id, attempt, claim, queue, target, worker, started_at, finished_at, outcome, error_type, error, traceback
from pgqueue.attempts
where job_id operator(pg_catalog.=) $1::pg_catalog.uuid
order by claim
