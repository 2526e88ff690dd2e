-- One row a job, whatever its state. By id it walks primary keys alone; in order of id it stops at a limit.
-- statement_timestamp(), because a volatile function would make it read and judge every row first.
create or replace view pgqueue.job as
  select job.id, job.queue, job.target, job.args,
         case when job.worker is not null then 'running'
              when job.run_at <= statement_timestamp() then 'ready'
              when job.attempt > 0 then 'retrying'
              else 'scheduled' end as state,
         job.priority, job.attempt, job.max_attempts, job.created_at, job.run_at, job.started_at,
         null::timestamptz as finished_at, job.worker, job.unique_key, job.limit_key, job.labels,
         (select concat_ws(': ', last.error_type, nullif(last.error, ''))
          from pgqueue.attempts as last
          where last.job_id = job.id and last.error is not null
          order by last.claim desc limit 1) as last_error,
         null::text as reason
  from pgqueue.jobs as job
  union all
  select ended.job_id, ended.queue, ended.target, ended.args, 'succeeded', ended.priority, ended.attempt,
         ended.max_attempts, ended.created_at, ended.run_at, ended.started_at, ended.finished_at, null,
         ended.unique_key, ended.limit_key, ended.labels, null, null
  from pgqueue.attempts as ended
  where ended.outcome = 'succeeded'
  union all
  select ended.job_id, ended.queue, ended.target, ended.args, 'cancelled', ended.priority, ended.attempt,
         ended.max_attempts, ended.created_at, ended.run_at, ended.started_at, ended.finished_at, null,
         ended.unique_key, ended.limit_key, ended.labels, null, coalesce(ended.error, 'cancelled before it ran')
  from pgqueue.attempts as ended
  where ended.outcome = 'cancelled'
  union all
  select dead.id, dead.queue, dead.target, dead.args, 'dead', dead.priority, dead.attempt, dead.max_attempts,
         dead.created_at, dead.run_at, dead.started_at, dead.died_at, null, dead.unique_key, dead.limit_key,
         dead.labels, nullif(concat_ws(': ', dead.error_type, nullif(dead.error, '')), ''), dead.reason
  from pgqueue.dead_jobs as dead;
-- One row a queue: how many of its jobs are in each state that has not ended, and how long the oldest has waited.
-- Exact, and so it reads every row of `jobs` and `dead_jobs`.
create or replace view pgqueue.queue_stats as
  select coalesce(live.queue, dead.queue, settings.name) as queue,
         coalesce(live.ready, 0) as ready,
         coalesce(live.scheduled, 0) as scheduled,
         coalesce(live.running, 0) as running,
         coalesce(live.retrying, 0) as retrying,
         coalesce(dead.dead, 0) as dead,
         live.oldest_ready_age,
         coalesce(settings.paused, false) as paused
  from (
    select job.queue,
           count(*) filter (where job.worker is null and job.run_at <= now()) as ready,
           count(*) filter (where job.worker is null and job.run_at > now() and job.attempt = 0) as scheduled,
           count(*) filter (where job.worker is not null) as running,
           count(*) filter (where job.worker is null and job.run_at > now() and job.attempt > 0) as retrying,
           now() - min(job.run_at) filter (where job.worker is null and job.run_at <= now()) as oldest_ready_age
    from pgqueue.jobs as job
    group by job.queue) as live
  full join (
    select d.queue, count(*) as dead from pgqueue.dead_jobs as d group by d.queue) as dead
    on dead.queue = live.queue
  full join pgqueue.queues as settings on settings.name = coalesce(live.queue, dead.queue);
