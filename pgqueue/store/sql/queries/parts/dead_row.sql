-- What a list shows of dead jobs that were `looked` at.
select looked.id, looked.queue, looked.target,
       case when pg_column_size(looked.args) > $7::int then $8::text else looked.args::text end as args,
       'dead' as state, looked.priority, looked.attempt, looked.max_attempts, looked.created_at, looked.run_at,
       looked.started_at, looked.died_at as finished_at, null::bigint as worker, looked.unique_key, looked.limit_key,
       case when pg_column_size(looked.labels) > $7::int then $8::text else looked.labels::text end as labels,
       nullif(concat_ws(': ', looked.error_type, nullif(left(looked.error, 4000), '')), '') as last_error,
       looked.reason, looked.cost,
       (select line.parent_id from pgqueue.lineage as line where line.job_id = looked.id) as parent_id,
       (select line.root_id from pgqueue.lineage as line where line.job_id = looked.id) as root_id,
       looked.fallen_from is not null as degraded
