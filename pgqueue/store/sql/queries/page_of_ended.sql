-- As page_of_live, of the jobs that succeeded or were cancelled: looks at $5 attempts. Walks attempts_pkey backwards.
select looked.job_id, looked.queue, looked.target,
       case when pg_column_size(looked.args) > $7::int then $8::text else looked.args::text end as args,
       looked.outcome as state, looked.priority, looked.attempt, looked.max_attempts, looked.created_at, looked.run_at,
       looked.started_at, looked.finished_at, null::bigint as worker, looked.unique_key, looked.limit_key,
       case when pg_column_size(looked.labels) > $7::int then $8::text else looked.labels::text end as labels,
       null::text as last_error,
       case when looked.outcome = 'cancelled'
            then coalesce(left(looked.error, 4000), 'cancelled before it ran') end as reason,
       null::int as cost,
       (select line.parent_id from pgqueue.lineage as line where line.job_id = looked.job_id) as parent_id,
       (select line.root_id from pgqueue.lineage as line where line.job_id = looked.job_id) as root_id,
       looked.fallen_from is not null as degraded
from (
  select ended.*
  from pgqueue.attempts_shown as ended
  where $4::uuid is null or ended.job_id < $4
  order by ended.job_id desc, ended.claim desc
  limit $5::int) as looked
where looked.outcome = any ($1::text[]) and looked.outcome in ('succeeded', 'cancelled')
  and ($2::text is null or looked.queue = $2)
  and ($3::text is null or looked.target = $3)
order by looked.job_id desc, looked.claim desc
limit $6::int
