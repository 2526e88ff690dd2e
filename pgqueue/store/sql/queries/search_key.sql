-- As search_live, of the one job that has the unique key $13. Walks jobs_unique.
-- Answers how many were looked at, the last of them, and those that $1-$4 leave: states, patterns of queues and of
-- targets, and needles in the error; null says nothing. $5, $6, $7, $8: arguments, labels, error and host are wanted;
-- $9: of at most so many bytes. Looks at $12 rows with ids from $10 up to, and below, $11.
with looked as materialized (
  select job.*,
         case when job.worker is not null then 'running'
              when job.run_at <= statement_timestamp() then 'ready'
              when job.attempt > 0 then 'retrying'
              else 'scheduled' end as state
  from pgqueue.jobs as job
  where job.unique_key = $13::text and job.id >= $10::uuid and job.id < $11::uuid
  order by job.id desc
  limit $12::int
), found as (
  select looked.*, failed.error_type, failed.error, failed.cause
  from looked
  left join lateral (
    select last.error_type, left(last.error, 4000) as error, last.cause
    from pgqueue.attempts as last
    where last.job_id = looked.id and last.error is not null
      and (last.outcome <> 'released' or last.error_type is not null)
    order by last.claim desc
    limit 1) as failed on $7::boolean
  where looked.state = any ($1::text[])
    and ($2::text[] is null or looked.queue like any ($2))
    and ($3::text[] is null or looked.target like any ($3))
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
from (
  select count(*) as looked, (array_agg(looked.id order by looked.id))[1] as last from looked) as head
left join (
  select * from found
  where $4::text[] is null
    or exists (select from unnest($4) as needle (text)
               where strpos(lower(coalesce(found.error_type, '') || ': ' || coalesce(found.error, '')),
                            needle.text) > 0)
) as one on true
left join pgqueue.workers as host on $8::boolean and host.id = one.worker
order by one.id desc
