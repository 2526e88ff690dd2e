-- One job for a page, whatever its state; arguments and result of more than $2 bytes, as stored, are not read.
-- Walks jobs_pkey, attempts_pkey, dead_jobs_pkey, results_pkey.
select job.id, job.queue, job.target,
       case when pg_column_size(job.args) > $2::int then null else job.args::text end as args,
       job.state, job.priority, job.attempt, job.max_attempts, job.created_at, job.run_at, job.started_at,
       job.finished_at, job.worker, job.unique_key, job.limit_key,
       case when pg_column_size(job.labels) > $2::int then null else job.labels::text end as labels,
       job.last_error, job.reason, job.cost, job.parent_id, job.root_id, job.degraded, job.unknown_since,
       (select case when pg_column_size(r.result) > $2::int then '' else r.result::text end
        from pgqueue.results_shown as r
        where r.job_id = job.id and r.expires_at > now()) as result
from pgqueue.job as job
where job.id = $1::uuid
