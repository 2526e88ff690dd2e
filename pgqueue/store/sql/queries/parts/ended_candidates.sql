-- Of attempts that were `looked` at: how many, the last of their jobs, and those that $1-$4 and $13 leave, as search_ended says.
select head.looked, head.last, one.job_id, one.queue, one.target, one.outcome as state, one.priority,
       one.attempt, one.worker, one.run_at, one.started_at, one.finished_at, one.unique_key, one.limit_key,
       case when one.outcome = 'cancelled'
            then coalesce(left(one.error, 4000), 'cancelled before it ran') end as reason,
       null::text as error_type, null::text as error,
       case when $8::boolean then (select w.host from pgqueue.workers as w where w.id = one.worker) end as host,
       case when $6::boolean and pg_column_size(one.labels) <= $9::int then one.labels::text end as labels,
       case when $5::boolean and pg_column_size(one.args) <= $9::int then one.args::text end as args,
       coalesce($6::boolean and pg_column_size(one.labels) > $9::int, false)
         or coalesce($5::boolean and pg_column_size(one.args) > $9::int, false) as large,
       null::text as cause
from (select count(*) as looked, (array_agg(looked.job_id order by looked.job_id))[1] as last from looked) as head
left join (
  select *
  from looked
  where looked.outcome = any ($1::text[]) and looked.outcome in ('succeeded', 'cancelled')
    and ($2::text[] is null or looked.queue like any ($2))
    and ($13::text[] is null or not looked.queue like any ($13))
    and ($3::text[] is null or looked.target like any ($3))
    and $4::text[] is null
) as one on true
order by one.job_id desc
