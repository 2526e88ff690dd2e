-- The jobs at the head of each slot (queue, priority), as claims come upon them, on both sides of now: those that are
-- due, the running ones among them and mostly before the others, and those that are for later. Those that wait in lanes
-- are slots of their own, lane after lane; and so are those of a queue that come to lanes later.
-- _queues null means all of them, but for a name that cannot be said in UTF-8: it would hide all the others.
-- Reads about _most rows on each side, shared out evenly, and at least 4 a slot: `beyond` is the one row behind a
-- share, by which a caller knows that there are more.
-- Walks jobs_claim, two probes for each slot, and a loose scan to find them; and so jobs_lane and jobs_coming.
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
  _keyed text[];
  _keyed_priorities smallint[];
  _coming text[];
  _each int;
  _now constant timestamptz := statement_timestamp();
begin
  if _queues is null then
    with recursive slots (queue, priority) as (
      (select job.queue, job.priority from pgqueue.jobs as job
       where job.lane is null order by job.queue, job.priority limit 1)
      union all
      select next.queue, next.priority
      from slots
      cross join lateral (
        select job.queue, job.priority from pgqueue.jobs as job
        where job.lane is null and (job.queue, job.priority) > (slots.queue, slots.priority)
        order by job.queue, job.priority
        limit 1) as next
    )
    select array_agg(slots.queue), array_agg(slots.priority) into _names, _priorities
    from slots
    where getdatabaseencoding() = 'UTF8' or slots.queue = pgqueue.readable(slots.queue);
    with recursive slots (queue, priority) as (
      (select job.queue, job.priority from pgqueue.jobs as job
       where job.lined order by job.queue, job.priority limit 1)
      union all
      select next.queue, next.priority
      from slots
      cross join lateral (
        select job.queue, job.priority from pgqueue.jobs as job
        where job.lined and (job.queue, job.priority) > (slots.queue, slots.priority)
        order by job.queue, job.priority
        limit 1) as next
    )
    select array_agg(slots.queue), array_agg(slots.priority) into _keyed, _keyed_priorities
    from slots
    where getdatabaseencoding() = 'UTF8' or slots.queue = pgqueue.readable(slots.queue);
    with recursive coming (queue) as (
      (select job.queue from pgqueue.jobs as job
       where job.lane is not null and job.lined is null order by job.queue limit 1)
      union all
      select (select job.queue from pgqueue.jobs as job
              where job.lane is not null and job.lined is null and job.queue > coming.queue
              order by job.queue limit 1)
      from coming
      where coming.queue is not null
    )
    select array_agg(coming.queue) into _coming
    from coming
    where coming.queue is not null and (getdatabaseencoding() = 'UTF8' or coming.queue = pgqueue.readable(coming.queue));
  else
    select array_agg(named.queue), array_agg(slot.priority) into _names, _priorities
    from unnest(_queues) as named (queue)
    cross join generate_series(0, 9) as slot (priority)
    -- Not `exists`: the planner would join with all jobs.
    cross join lateral (
      select from pgqueue.jobs as job
      where job.lane is null and job.queue = named.queue and job.priority = slot.priority
      limit 1) as used;
    select array_agg(named.queue), array_agg(slot.priority) into _keyed, _keyed_priorities
    from unnest(_queues) as named (queue)
    cross join generate_series(0, 9) as slot (priority)
    cross join lateral (
      select from pgqueue.jobs as job
      where job.lined and job.queue = named.queue and job.priority = slot.priority
      limit 1) as used;
    _coming := _queues;
  end if;
  _each := greatest(4, _most / greatest(
    1, coalesce(cardinality(_names), 0) + coalesce(cardinality(_keyed), 0) + coalesce(cardinality(_coming), 0)));
  return query
  select slot.queue, found.*
  from unnest(_names, _priorities) as slot (queue, priority)
  cross join lateral (
    (select job.id, job.run_at, job.worker, job.started_at, job.attempt, job.target, true,
            row_number() over () > _each
     from pgqueue.jobs as job
     where job.lane is null and job.queue = slot.queue and job.priority = slot.priority and job.run_at <= _now
     order by job.run_at, job.id
     limit _each + 1)
    union all
    (select job.id, job.run_at, job.worker, job.started_at, job.attempt, job.target, false,
            row_number() over () > _each
     from pgqueue.jobs as job
     where job.lane is null and job.queue = slot.queue and job.priority = slot.priority and job.run_at > _now
     order by job.run_at, job.id
     limit _each + 1)) as found;
  if _keyed is not null then
    return query
    select slot.queue, found.*
    from unnest(_keyed, _keyed_priorities) as slot (queue, priority)
    cross join lateral (
      select job.id, job.run_at, job.worker, job.started_at, job.attempt, job.target, true,
             row_number() over () > _each
      from pgqueue.jobs as job
      where job.lined and job.queue = slot.queue and job.priority = slot.priority
      order by job.lane, job.run_at, job.id
      limit _each + 1) as found;
  end if;
  return query
  select slot.queue, found.*
  from unnest(_coming) as slot (queue)
  cross join lateral (
    select job.id, job.run_at, job.worker, job.started_at, job.attempt, job.target, job.run_at <= _now,
           row_number() over () > _each
    from pgqueue.jobs as job
    where job.lane is not null and job.lined is null and job.queue = slot.queue
    order by job.run_at, job.id
    limit _each + 1) as found;
end $$;
