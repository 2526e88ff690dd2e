-- Jobs that wait for a human, longest first: at most $3 behind ($1, $2). Arguments and labels of more than $4 bytes are
-- not read; $5 stands for them. Walks manual_jobs_since, jobs_pkey, attempts_pkey; O($3 log n).
select waiting.since, waiting.reason as why,
       job.id, job.queue, job.target,
       case when pg_column_size(job.args) > $4::int then $5::text else job.args::text end as args,
       'manual' as state, job.priority, job.attempt, job.max_attempts, job.created_at, job.run_at,
       job.started_at, null::timestamptz as finished_at, null::bigint as worker,
       coalesce(job.start_key, job.unique_key) as unique_key, job.limit_key,
       case when pg_column_size(job.labels) > $4::int then $5::text else job.labels::text end as labels,
       (select concat_ws(': ', last.error_type, nullif(left(last.error, 4000), ''))
        from pgqueue.attempts as last
        where last.job_id = job.id and last.error is not null
          and (last.outcome <> 'released' or last.error_type is not null)
        order by last.claim desc limit 1) as last_error,
       null::text as reason, job.cost,
       (select line.parent_id from pgqueue.lineage as line where line.job_id = job.id) as parent_id,
       (select line.root_id from pgqueue.lineage as line where line.job_id = job.id) as root_id,
       true as degraded
from (
  select manual.job_id, manual.claim, manual.since, manual.reason
  from pgqueue.manual_jobs as manual
  where (manual.since, manual.job_id) > ($1::timestamptz, $2::uuid)
  order by manual.since, manual.job_id
  limit $3::int) as waiting
cross join lateral (
  select * from pgqueue.jobs_shown as each
  where each.id = waiting.job_id and each.claim = waiting.claim and each.worker = -1 offset 0) as job
order by waiting.since, waiting.job_id
