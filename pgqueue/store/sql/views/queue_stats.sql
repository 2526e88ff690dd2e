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
