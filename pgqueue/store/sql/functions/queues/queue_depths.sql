-- How full each of some queues is (null: of all): exact up to about _most jobs in all, shared out evenly among the
-- queues, and at least 4 each.
-- What is fuller is estimated from 2,000 pages of its table, taken by chance but always the same; `estimated` names
-- those numbers. Of the jobs that a worker holds as many run as it has slots; the others were claimed ahead of a free
-- one.
-- `holders` has its worker once for each job that is held.
-- Walks jobs_claim (peek.sql), and dead_jobs_queue by a loose scan; O(slots log n + _most).
create or replace function pgqueue.queue_depths(_queues text[], _most int)
returns table (queue text, ready bigint, scheduled bigint, running bigint, retrying bigint, dead bigint,
               oldest_ready_age interval, paused boolean, ahead bigint, estimated text[], holders bigint[])
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
begin
  return query
  with recursive peeked as materialized (
    select head.* from pgqueue.peek(_queues, _most) as head
  ), held as (
    select peeked.queue, peeked.worker,
           row_number() over (partition by peeked.worker order by peeked.started_at, peeked.id)
             > coalesce(worker.concurrency, 2147483647) as ahead
    from peeked
    left join pgqueue.workers as worker on worker.id = peeked.worker
    where peeked.worker is not null
  ), holding as (
    select held.queue, count(*) filter (where not held.ahead) as running, count(*) filter (where held.ahead) as ahead,
           array_agg(held.worker) as workers
    from held
    group by held.queue
  ), live as (
    select peeked.queue,
           count(*) filter (where peeked.worker is null and peeked.due) as ready,
           count(*) filter (where peeked.worker is null and not peeked.due and peeked.attempt = 0) as scheduled,
           count(*) filter (where peeked.worker is null and not peeked.due and peeked.attempt > 0) as retrying,
           min(peeked.run_at) filter (where peeked.worker is null and peeked.due) as oldest,
           bool_or(peeked.due and peeked.beyond) as more_due,
           bool_or(not peeked.due and peeked.beyond) as more_later
    from peeked
    group by peeked.queue
  ), names (queue) as (
    (select d.queue from pgqueue.dead_jobs as d where _queues is null order by d.queue limit 1)
    union all
    select (select d.queue from pgqueue.dead_jobs as d where d.queue > names.queue order by d.queue limit 1)
    from names
    where names.queue is not null
  ), sayable as (
    select named.queue, greatest(4, _most / count(*) over ())::bigint as share
    from (
      select names.queue from names
      where names.queue is not null
        and (getdatabaseencoding() = 'UTF8' or names.queue = pgqueue.readable(names.queue))
      union all
      select unnest(_queues)) as named
  ), dead as (
    select sayable.queue, least(counted.jobs, sayable.share) as dead, counted.jobs > sayable.share as more
    from sayable
    cross join lateral (
      select count(*) as jobs
      from (select from pgqueue.dead_jobs as d where d.queue = sayable.queue limit sayable.share + 1) as first
    ) as counted
    where counted.jobs > 0
  ), settings as (
    select q.name, pgqueue.is_paused(q.paused, q.paused_until) as paused
    from pgqueue.queues as q where _queues is null or q.name = any (_queues)
  ), share as (
    select least(1, 2000.0 / greatest(1, pg_relation_size('pgqueue.jobs') / 8192))::float8 as of_jobs,
           least(1, 2000.0 / greatest(1, pgqueue.size_of('pgqueue.dead_jobs') / 8192))::float8 as of_dead_jobs
  ), sampled as (
    select job.queue,
           count(*) filter (where job.worker is null and job.run_at <= now()) as ready,
           count(*) filter (where job.worker is null and job.run_at > now() and job.attempt = 0) as scheduled,
           count(*) filter (where job.worker is null and job.run_at > now() and job.attempt > 0) as retrying
    from pgqueue.jobs as job
      tablesample system (100 * least(1, 2000.0 / greatest(1, pg_relation_size('pgqueue.jobs') / 8192))) repeatable (1)
    where (select bool_or(live.more_due or live.more_later) from live)
      and (_queues is null or job.queue = any (_queues))
    group by job.queue
  ), sampled_dead as (
    select d.queue, count(*) as dead
    from pgqueue.dead_jobs as d
      tablesample system (100 * least(1, 2000.0 / greatest(1, pgqueue.size_of('pgqueue.dead_jobs') / 8192)))
        repeatable (1)
    where (select bool_or(dead.more) from dead)
      and (_queues is null or d.queue = any (_queues))
    group by d.queue
  )
  select coalesce(live.queue, dead.queue, settings.name),
         case when live.more_due then greatest(live.ready, (sampled.ready / share.of_jobs)::bigint)
              else coalesce(live.ready, 0) end,
         case when live.more_later then greatest(live.scheduled, (sampled.scheduled / share.of_jobs)::bigint)
              else coalesce(live.scheduled, 0) end,
         coalesce(holding.running, 0),
         case when live.more_later then greatest(live.retrying, (sampled.retrying / share.of_jobs)::bigint)
              else coalesce(live.retrying, 0) end,
         case when dead.more then greatest(dead.dead, (sampled_dead.dead / share.of_dead_jobs)::bigint)
              else coalesce(dead.dead, 0) end,
         now() - live.oldest,
         coalesce(settings.paused, false),
         coalesce(holding.ahead, 0),
         case when live.more_due then '{ready,running,ahead}'::text[] else '{}' end
           || case when live.more_later then '{scheduled,retrying}'::text[] else '{}' end
           || case when dead.more then '{dead}'::text[] else '{}' end,
         coalesce(holding.workers, '{}')
  from live
  full join dead on dead.queue = live.queue
  full join settings on settings.name = coalesce(live.queue, dead.queue)
  left join holding on holding.queue = live.queue
  left join sampled on sampled.queue = live.queue
  left join sampled_dead on sampled_dead.queue = dead.queue
  cross join share;
end $$;
