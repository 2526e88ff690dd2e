-- As page_of_dead, of cause $9. Walks dead_jobs_cause backwards.
-- The cause as a range, as the queue of page_of_dead_queue.
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
  where dead.cause >= $9::text and dead.cause <= $9 and ($4::uuid is null or (dead.cause, dead.id) < ($9, $4))
  order by dead.cause desc, dead.id desc
  limit $5::int) as looked
where 'dead' = any ($1::text[])
  and ($2::text is null or looked.queue = $2)
  and ($3::text is null or looked.target = $3)
order by looked.cause desc, looked.id desc
limit $6::int
