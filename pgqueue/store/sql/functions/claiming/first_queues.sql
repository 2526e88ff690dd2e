-- The names of queues that have jobs, no more than _limit of them, all if that is null: whether there are few or many
-- costs no more than to know few. A name that cannot be said in UTF-8 is left out: it would hide all the others.
-- Loose scans of jobs_claim, jobs_lane and jobs_coming, three probes a queue; O(_limit log n).
create or replace function pgqueue.first_queues(_limit int) returns setof text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  return query
  with recursive names (queue) as (
    (select min(first.queue) from (
       (select job.queue from pgqueue.jobs as job where job.lane is null order by job.queue limit 1)
       union all
       (select job.queue from pgqueue.jobs as job where job.lined order by job.queue limit 1)
       union all
       (select job.queue from pgqueue.jobs as job
        where job.lane is not null and job.lined is null order by job.queue limit 1)) as first)
    union all
    select (select min(next.queue) from (
              (select job.queue from pgqueue.jobs as job
               where job.lane is null and job.queue > names.queue order by job.queue limit 1)
              union all
              (select job.queue from pgqueue.jobs as job
               where job.lined and job.queue > names.queue order by job.queue limit 1)
              union all
              (select job.queue from pgqueue.jobs as job
               where job.lane is not null and job.lined is null and job.queue > names.queue
               order by job.queue limit 1)) as next)
    from names
    where names.queue is not null
  )
  select names.queue from names
  where names.queue is not null
    and (getdatabaseencoding() = 'UTF8' or names.queue = pgqueue.readable(names.queue))
  limit _limit;
end $$;
