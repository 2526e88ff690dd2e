-- Of `placed` jobs that have not ended, with their `state`: those that $1-$4 and $13 leave, as search_live says, beside
-- `head`.
, found as (
  select placed.*, failed.error_type, failed.error, failed.cause
  from placed
  left join lateral (
    select last.error_type, left(last.error, 4000) as error, last.cause
    from pgqueue.attempts as last
    where last.job_id = placed.id and last.error is not null
      and (last.outcome <> 'released' or last.error_type is not null)
    order by last.claim desc
    limit 1) as failed on $7::boolean
  where placed.state = any ($1::text[])
    and ($2::text[] is null or placed.queue like any ($2))
    and ($13::text[] is null or not placed.queue like any ($13))
    and ($3::text[] is null or placed.target like any ($3))
)
select head.looked, head.last, one.id, one.queue, one.target, one.state, one.priority, one.attempt, one.worker,
       one.run_at, one.started_at, null::timestamptz as finished_at, one.unique_key, one.limit_key,
       null::text as reason,
       one.error_type, one.error, case when $8::boolean then host.host end as host,
       case when $6::boolean and pg_column_size(one.labels) <= $9::int then one.labels::text end as labels,
       case when $5::boolean and pg_column_size(one.args) <= $9::int then one.args::text end as args,
       coalesce($6::boolean and pg_column_size(one.labels) > $9::int, false)
         or coalesce($5::boolean and pg_column_size(one.args) > $9::int, false) as large,
       one.cause
from head
left join (
  select * from found
  where $4::text[] is null
    or exists (select from unnest($4) as needle (text)
               where strpos(lower(coalesce(found.error_type, '') || ': ' || coalesce(found.error, '')),
                            needle.text) > 0)
) as one on true
left join pgqueue.workers as host on $8::boolean and host.id = one.worker
order by one.id desc
