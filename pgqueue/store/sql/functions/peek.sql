-- The jobs at the head of each slot (queue, priority), as claims come upon them, on both sides of now: those that are
-- due, the running ones among them and mostly before the others, and those that are for later.
-- _queues null means all of them, but for a name that cannot be said in UTF-8: it would hide all the others.
-- Reads about _most rows on each side, shared out evenly, and at least 4 a slot: `beyond` is the one row behind a
-- share, by which a caller knows that there are more.
-- Walks jobs_claim: two probes for each slot, and a loose scan to find them.
create or replace function pgqueue.peek(_queues text[], _most int)
returns table (queue text, id uuid, run_at timestamptz, worker bigint, started_at timestamptz, attempt smallint,
               target text, due boolean, beyond boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  _names text[];
  _priorities smallint[];
  _each int;
  _now constant timestamptz := statement_timestamp();
begin
  if _queues is null then
    with recursive slots (queue, priority) as (
      (select job.queue, job.priority from pgqueue.jobs as job order by job.queue, job.priority limit 1)
      union all
      select next.queue, next.priority
      from slots
      cross join lateral (
        select job.queue, job.priority from pgqueue.jobs as job
        where (job.queue, job.priority) > (slots.queue, slots.priority)
        order by job.queue, job.priority
        limit 1) as next
    )
    select array_agg(slots.queue), array_agg(slots.priority) into _names, _priorities
    from slots
    where getdatabaseencoding() = 'UTF8' or slots.queue = pgqueue.readable(slots.queue);
  else
    select array_agg(named.queue), array_agg(slot.priority) into _names, _priorities
    from unnest(_queues) as named (queue)
    cross join generate_series(0, 9) as slot (priority)
    -- Not `exists`: the planner would join with all jobs.
    cross join lateral (
      select from pgqueue.jobs as job
      where job.queue = named.queue and job.priority = slot.priority
      limit 1) as used;
  end if;
  _each := greatest(4, _most / greatest(1, cardinality(_names)));
  return query
  select slot.queue, found.*
  from unnest(_names, _priorities) as slot (queue, priority)
  cross join lateral (
    (select job.id, job.run_at, job.worker, job.started_at, job.attempt, job.target, true,
            row_number() over () > _each
     from pgqueue.jobs as job
     where job.queue = slot.queue and job.priority = slot.priority and job.run_at <= _now
     order by job.run_at, job.id
     limit _each + 1)
    union all
    (select job.id, job.run_at, job.worker, job.started_at, job.attempt, job.target, false,
            row_number() over () > _each
     from pgqueue.jobs as job
     where job.queue = slot.queue and job.priority = slot.priority and job.run_at > _now
     order by job.run_at, job.id
     limit _each + 1)) as found;
end $$;
