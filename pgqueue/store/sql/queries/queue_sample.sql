-- How full every queue is, estimated from about 2,000 pages of each table taken by chance: O(1), whatever there is.
-- What has few jobs may be missed; queues with settings are never.
with share as (
  select least(1, 2000.0 / greatest(1, pg_relation_size('pgqueue.jobs') / 8192))::float8 as of_jobs,
         least(1, 2000.0 / greatest(1, pg_relation_size('pgqueue.dead_jobs') / 8192))::float8 as of_dead_jobs
), live as (
  select job.queue,
         count(*) filter (where job.worker is null and job.run_at <= now()) as ready,
         count(*) filter (where job.worker is null and job.run_at > now() and job.attempt = 0) as scheduled,
         count(*) filter (where job.worker is not null) as running,
         count(*) filter (where job.worker is null and job.run_at > now() and job.attempt > 0) as retrying
  from pgqueue.jobs as job
    tablesample system (100 * least(1, 2000.0 / greatest(1, pg_relation_size('pgqueue.jobs') / 8192)))
  group by job.queue
), dead as (
  select d.queue, count(*) as dead
  from pgqueue.dead_jobs as d
    tablesample system (100 * least(1, 2000.0 / greatest(1, pg_relation_size('pgqueue.dead_jobs') / 8192)))
  group by d.queue
)
select coalesce(live.queue, dead.queue, settings.name) as queue,
       round(coalesce(live.ready, 0) / share.of_jobs)::bigint,
       round(coalesce(live.scheduled, 0) / share.of_jobs)::bigint,
       round(coalesce(live.running, 0) / share.of_jobs)::bigint,
       round(coalesce(live.retrying, 0) / share.of_jobs)::bigint,
       round(coalesce(dead.dead, 0) / share.of_dead_jobs)::bigint,
       null::interval as oldest_ready_age,
       coalesce(settings.paused, false) as paused
from live
full join dead on dead.queue = live.queue
full join pgqueue.queues as settings on settings.name = coalesce(live.queue, dead.queue)
cross join share
order by 1
