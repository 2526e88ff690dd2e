-- The names of all queues that have jobs: a loose scan of jobs_claim, one probe per queue.
-- A name that cannot be said in UTF-8 is left out: it would hide all the others.
create or replace function pgqueue.queue_names() returns setof text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  return query
  with recursive names as (
    (select job.queue from pgqueue.jobs as job order by job.queue limit 1)
    union all
    select (select job.queue from pgqueue.jobs as job where job.queue > names.queue order by job.queue limit 1)
    from names
    where names.queue is not null
  )
  select names.queue from names
  where names.queue is not null
    and (getdatabaseencoding() = 'UTF8' or names.queue = pgqueue.readable(names.queue));
end $$;
