-- The names of up to _limit queues behind _after, in order: of those that have jobs, dead jobs or settings.
-- A name that cannot be said in UTF-8 is left out: it would hide all the others.
-- Loose scans of jobs_claim, jobs_lane, jobs_coming and dead_jobs_queue, queues_pkey; O(_limit log n).
create or replace function pgqueue.queues_behind(_after text, _limit int) returns setof text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  return query
  with recursive live (queue) as (
    (select min(first.queue) from (
       (select job.queue from pgqueue.jobs as job where job.lane is null and job.queue > _after order by job.queue limit 1)
       union all
       (select job.queue from pgqueue.jobs as job where job.lined and job.queue > _after order by job.queue limit 1)
       union all
       (select job.queue from pgqueue.jobs as job
        where job.lane is not null and job.lined is null and job.queue > _after order by job.queue limit 1)) as first)
    union all
    select (select min(next.queue) from (
              (select job.queue from pgqueue.jobs as job
               where job.lane is null and job.queue > live.queue order by job.queue limit 1)
              union all
              (select job.queue from pgqueue.jobs as job
               where job.lined and job.queue > live.queue order by job.queue limit 1)
              union all
              (select job.queue from pgqueue.jobs as job
               where job.lane is not null and job.lined is null and job.queue > live.queue
               order by job.queue limit 1)) as next)
    from live
    where live.queue is not null
  ), dead (queue) as (
    (select d.queue from pgqueue.dead_jobs as d where d.queue > _after order by d.queue limit 1)
    union all
    select (select d.queue from pgqueue.dead_jobs as d where d.queue > dead.queue order by d.queue limit 1)
    from dead
    where dead.queue is not null
  )
  select found.queue
  from (
    (select live.queue from live where live.queue is not null limit _limit)
    union
    (select dead.queue from dead where dead.queue is not null limit _limit)
    union
    (select settings.name from pgqueue.queues as settings
     where settings.name > _after order by settings.name limit _limit)) as found
  where getdatabaseencoding() = 'UTF8' or found.queue = pgqueue.readable(found.queue)
  order by found.queue
  limit _limit;
end $$;
