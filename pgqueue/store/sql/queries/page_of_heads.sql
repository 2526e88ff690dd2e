-- As page_of_live, from the heads of the queues alone: of all, or of queue $2. About $5 jobs on each side of now.
-- Every row says first whether there is more that is due, and more for later; where no job was found, one row says
-- that.
-- Walks jobs_claim.
with heads as materialized (
  select head.*,
         case when head.worker is not null then 'running'
              when head.due then 'ready'
              when head.attempt > 0 then 'retrying'
              else 'scheduled' end as state
  from pgqueue.peek(case when $2::text is not null then array[$2] end, $5::int) as head
), more as (
  select coalesce(bool_or(heads.due and heads.beyond), false) as due,
         coalesce(bool_or(not heads.due and heads.beyond), false) as later
  from heads
), found as (
  select heads.id, heads.state
  from heads
  where heads.state = any ($1::text[])
    and ($3::text is null or heads.target = $3)
    and ($4::uuid is null or heads.id < $4)
  order by heads.id desc
  limit $6::int
)
select more.due, more.later, job.id, job.queue, job.target,
       case when pg_column_size(job.args) > $7::int then $8::text else job.args::text end as args,
       found.state, job.priority, job.attempt, job.max_attempts, job.created_at, job.run_at, job.started_at,
       null::timestamptz as finished_at, job.worker, coalesce(job.start_key, job.unique_key) as unique_key,
       job.limit_key,
       case when pg_column_size(job.labels) > $7::int then $8::text else job.labels::text end as labels,
       (select concat_ws(': ', last.error_type, nullif(left(last.error, 4000), ''))
        from pgqueue.attempts as last
        where last.job_id = job.id and last.error is not null
          and (last.outcome <> 'released' or last.error_type is not null)
          and (last.outcome <> 'released' or last.error_type is not null)
        order by last.claim desc limit 1) as last_error,
       null::text as reason, job.cost,
       (select line.parent_id from pgqueue.lineage as line where line.job_id = job.id) as parent_id,
       (select line.root_id from pgqueue.lineage as line where line.job_id = job.id) as root_id,
       job.fallen_from is not null as degraded
from more
left join (found join pgqueue.jobs_shown as job on job.id = found.id) on true
order by job.id desc
