-- As page_of_live, of the members of workflows that wait at a gate. Walks waiting_id backwards.
select looked.id, looked.queue, looked.target,
       case when pg_column_size(looked.args) > $7::int then $8::text else looked.args::text end as args,
       'waiting' as state, looked.priority, 0 as attempt, looked.max_attempts, looked.created_at, looked.run_at,
       null::timestamptz as started_at, null::timestamptz as finished_at, null::bigint as worker,
       null::text as unique_key, looked.limit_key,
       case when pg_column_size(looked.labels) > $7::int then $8::text else looked.labels::text end as labels,
       null::text as last_error, null::text as reason, looked.cost, null::uuid as parent_id, null::uuid as root_id,
       false as degraded
from (
  select w.id, coalesce(w.queue, pgqueue.route(w.target)) as queue, w.target, w.args, coalesce(w.priority, 5) as priority, w.max_attempts, w.created_at,
         w.run_at, w.limit_key, w.labels, w.cost
  from pgqueue.waiting_shown as w
  where $4::uuid is null or w.id < $4
  order by w.id desc
  limit $5::int) as looked
where 'waiting' = any ($1::text[])
  and ($2::text is null or looked.queue = $2)
  and ($3::text is null or looked.target = $3)
order by looked.id desc
limit $6::int
