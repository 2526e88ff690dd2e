-- Jobs by id, whatever their state, newest first. Arguments and labels of more than $2 bytes are not read; $3 stands for
-- them. Walks primary keys.
select job.id, job.queue, job.target,
       case when pg_column_size(job.args) > $2::int then $3::text else job.args::text end as args,
       job.state, job.priority, job.attempt, job.max_attempts, job.created_at, job.run_at, job.started_at, job.finished_at,
       job.worker, job.unique_key, job.limit_key,
       case when pg_column_size(job.labels) > $2::int then $3::text else job.labels::text end as labels,
       left(job.last_error, 5000) as last_error, left(job.reason, 5000) as reason,
       job.cost, job.parent_id, job.root_id, job.degraded
from pgqueue.job as job
where job.id = any ($1::uuid[])
order by job.id desc
