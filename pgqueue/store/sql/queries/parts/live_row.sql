-- What a list shows of jobs that were `looked` at and have not ended.
select looked.id, looked.queue, looked.target,
       case when pg_column_size(looked.args) > $7::int then $8::text else looked.args::text end as args,
       looked.state, looked.priority, looked.attempt, looked.max_attempts, looked.created_at, looked.run_at,
       looked.started_at, null::timestamptz as finished_at, nullif(looked.worker, -1) as worker,
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
       (select line.root_id from pgqueue.lineage as line where line.job_id = looked.id) as root_id,
       looked.fallen_from is not null as degraded
