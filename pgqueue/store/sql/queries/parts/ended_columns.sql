select one.job_id, one.claim, one.attempt, one.queue, one.target, one.outcome, one.worker,
       (select w.host from pgqueue.workers as w where w.id = one.worker) as host,
       one.started_at, one.finished_at, one.run_at, one.priority, one.unique_key, one.limit_key,
       one.error_type, left(one.error, 2000) as error, one.cause, dead.reason,
       case when one.outcome in ('succeeded', 'cancelled') then one.outcome
            when dead.id is not null then 'dead'
            when one.outcome = 'released' then 'ready'
            when live.worker = -1 and live.claim - 1 = one.claim then 'manual' else 'retrying' end as state,
       case when pg_column_size(one.labels) <= $1::int then one.labels::text end as labels,
       case when pg_column_size(coalesce(one.args, dead.args, live.args)) <= $1
            then coalesce(one.args, dead.args, live.args)::text end as args,
       coalesce(pg_column_size(one.labels) > $1, false)
         or coalesce(pg_column_size(coalesce(one.args, dead.args, live.args)) > $1, false) as large,
       one.fallen_from is not null as degraded
from ended as one
left join lateral (
  select d.id, d.reason, d.args from pgqueue.dead_jobs_shown as d
  where d.id = one.job_id and d.claim = one.claim and one.outcome not in ('succeeded', 'cancelled') offset 0) as dead on true
left join lateral (
  select job.args, job.worker, job.claim from pgqueue.jobs_shown as job where job.id = one.job_id and one.args is null offset 0) as live on true
