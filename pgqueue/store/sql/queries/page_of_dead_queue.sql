-- As page_of_dead, of queue $2. Walks dead_jobs_queue backwards.
-- The queue as a range, whose order that index alone has: else the planner may walk all dead jobs by id, and filter.
select looked.id, looked.queue, looked.target,
       case when pg_column_size(looked.args) > $7::int then $8::text else looked.args::text end as args,
       'dead' as state, looked.priority, looked.attempt, looked.max_attempts, looked.created_at, looked.run_at,
       looked.started_at, looked.died_at as finished_at, null::bigint as worker, looked.unique_key, looked.limit_key,
       case when pg_column_size(looked.labels) > $7::int then $8::text else looked.labels::text end as labels,
       nullif(concat_ws(': ', looked.error_type, nullif(left(looked.error, 4000), '')), '') as last_error,
       looked.reason, looked.cost
from (
  select dead.*
  from pgqueue.dead_jobs as dead
  where dead.queue >= $2::text and dead.queue <= $2 and ($4::uuid is null or (dead.queue, dead.id) < ($2, $4))
  order by dead.queue desc, dead.id desc
  limit $5::int) as looked
where 'dead' = any ($1::text[]) and ($3::text is null or looked.target = $3)
order by looked.queue desc, looked.id desc
limit $6::int
