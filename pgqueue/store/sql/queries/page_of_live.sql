-- Jobs that have not ended, newest id first, of the states $1, queue $2 and target $3, with an id below $4: at most $6.
-- Looks at $5 jobs. Arguments and labels of more than $7 bytes are not read; $8 stands for them.
-- Walks jobs_pkey backwards.
select looked.id, looked.queue, looked.target,
       case when pg_column_size(looked.args) > $7::int then $8::text else looked.args::text end as args,
       looked.state, looked.priority, looked.attempt, looked.max_attempts, looked.created_at, looked.run_at,
       looked.started_at, null::timestamptz as finished_at, looked.worker,
       coalesce(looked.start_key, looked.unique_key) as unique_key, looked.limit_key,
       case when pg_column_size(looked.labels) > $7::int then $8::text else looked.labels::text end as labels,
       (select concat_ws(': ', last.error_type, nullif(left(last.error, 4000), ''))
        from pgqueue.attempts as last
        where last.job_id = looked.id and last.error is not null
          and (last.outcome <> 'released' or last.error_type is not null)
          and (last.outcome <> 'released' or last.error_type is not null)
        order by last.claim desc limit 1) as last_error,
       null::text as reason, looked.cost,
       (select line.parent_id from pgqueue.lineage as line where line.job_id = looked.id) as parent_id,
       (select line.root_id from pgqueue.lineage as line where line.job_id = looked.id) as root_id
from (
  select job.*,
         case when job.worker is not null then 'running'
              when job.run_at <= statement_timestamp() then 'ready'
              when job.attempt > 0 then 'retrying'
              else 'scheduled' end as state
  from pgqueue.jobs as job
  where $4::uuid is null or job.id < $4
  order by job.id desc
  limit $5::int) as looked
where looked.state = any ($1::text[])
  and ($2::text is null or looked.queue = $2)
  and ($3::text is null or looked.target = $3)
order by looked.id desc
limit $6::int
