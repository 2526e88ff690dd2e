-- As search_live, of the jobs at the heads of the queues $13, or of all: looks at about $12 on each side of now. What is
-- said as the last one is no job's id, and null if the heads are all there is. Walks jobs_claim (peek.sql), and jobs_pkey
-- for those of the states alone.
with head as materialized (
  select peeked.id, peeked.beyond,
         case when peeked.worker is not null then 'running'
              when peeked.due then 'ready'
              when peeked.attempt > 0 then 'retrying'
              else 'scheduled' end as state
  from pgqueue.peek($13::text[], $12::int) as peeked
), found as (
  select job.*, head.state, failed.error_type, failed.error, failed.cause
  from head
  join pgqueue.jobs as job on job.id = head.id
  left join lateral (
    select last.error_type, left(last.error, 4000) as error, last.cause
    from pgqueue.attempts as last
    where last.job_id = job.id and last.error is not null
      and (last.outcome <> 'released' or last.error_type is not null)
    order by last.claim desc
    limit 1) as failed on $7::boolean
  where head.state = any ($1::text[]) and head.id >= $10::uuid and head.id < $11::uuid
    and ($2::text[] is null or job.queue like any ($2))
    and ($3::text[] is null or job.target like any ($3))
)
select heads.looked, heads.last, one.id, one.queue, one.target, one.state, one.priority, one.attempt, one.worker,
       one.run_at, one.started_at, null::timestamptz as finished_at, one.unique_key, one.limit_key,
       null::text as reason, one.error_type, one.error, case when $8::boolean then host.host end as host,
       case when $6::boolean and pg_column_size(one.labels) <= $9::int then one.labels::text end as labels,
       case when $5::boolean and pg_column_size(one.args) <= $9::int then one.args::text end as args,
       coalesce($6::boolean and pg_column_size(one.labels) > $9::int, false)
         or coalesce($5::boolean and pg_column_size(one.args) > $9::int, false) as large,
       one.cause
from (
  select count(*) as looked,
         case when bool_or(head.beyond) then '00000000-0000-0000-0000-000000000000'::uuid end as last
  from head) as heads
left join (
  select * from found
  where $4::text[] is null
    or exists (select from unnest($4) as needle (text)
               where strpos(lower(coalesce(found.error_type, '') || ': ' || coalesce(found.error, '')),
                            needle.text) > 0)
) as one on true
left join pgqueue.workers as host on $8::boolean and host.id = one.worker
order by one.id desc
