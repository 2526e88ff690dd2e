-- Whether the workers that may have jobs of a queue and target (null: any) have a free slot, and what has the others: a
-- part of explain() and explain_queue(). As the workers have told within a minute, if all have. Their jobs are looked for at the heads of 20 queues at most; null if there may
-- be more than were found.
-- Reads `workers`, `worker_reports`; walks jobs_claim and jobs_lane (peek.sql); O(slots log n + 2,000).
create or replace function pgqueue.explain_slots(_queue text, _target text)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _covering constant text[] := pgqueue.covering_names(_target);
  _now constant timestamptz := clock_timestamp();
  _ids bigint[];
  _slots int[];
  _named text[];
  _sum bigint;
  _found record;
  _told record;
begin
  -- Once for all workers alike.
  with known as materialized (
    select told.hash, told.names && _covering as it from pgqueue.targets as told
    where _target is not null
      and told.hash = any (array(select distinct live.targets from pgqueue.workers as live where live.targets is not null))
  )
  select array_agg(w.id), array_agg(greatest(w.concurrency, 0)), sum(greatest(w.concurrency, 0)),
         case when bool_or(w.queues is null or array_to_string(w.queues, '') ~ '[*?!]') then null else '{}'::text[] end
  into _ids, _slots, _sum, _named
  from pgqueue.workers as w
  left join known on known.hash = w.targets
  where w.expires_at > _now and w.asked is null and pgqueue.serves(w.queues, _queue)
    and (_target is null or _target <> all (coalesce(w.unknown, '{}'))
                            and (known.hash is null or known.it));
  if _ids is null then
    return;
  end if;
  code := 'slots_busy';
  select count(*) as workers, sum(least(told.busy, mine.slots)) as busy,
         (array_agg(told.longest order by told.seconds desc nulls last))[1] as longest, max(told.seconds) as seconds
  into _told
  from pgqueue.reported(_ids) as told
  join unnest(_ids, _slots) as mine (id, slots) on mine.id = told.worker;
  if _told.workers = cardinality(_ids) then
    select _told.busy::bigint as busy, _told.longest as id,
           (select job.target from pgqueue.jobs as job where job.id = _told.longest) as target,
           _now - make_interval(secs => _told.seconds) as started_at, false as more
    into _found;
  elsif not pgqueue.is_walkable() then
    text := 'how many slots are busy was not counted: very many dead rows lie at the heads of the queues';
    detail := jsonb_build_object('slots', _sum, 'workers', cardinality(_ids));
    cure := 'pgqueue doctor --only horizon';
    return next;
    return;
  else
    if _named is null then
      _named := array(select found.queue from pgqueue.first_queues(20) as found (queue));
    else
      _named := array(
        select distinct served.queue from pgqueue.workers as w, unnest(w.queues) as served (queue)
        where w.id = any (_ids) limit 20);
    end if;
    if _queue <> all (_named) then
      _named := _queue || _named;
    end if;
    with held as materialized (
      select head.worker, head.started_at, head.id, head.target, head.beyond and head.due as more
      from pgqueue.peek(_named, 2000) as head
    ), mine as (
      select w.id, least(w.slots, count(held.id)) as busy
      from unnest(_ids, _slots) as w (id, slots)
      left join held on held.worker = w.id
      group by w.id, w.slots
    ), longest as (
      select held.id, held.target, held.started_at from held
      where held.worker = any (_ids)
      order by held.started_at, held.id
      limit 1
    )
    select counted.busy, longest.id, longest.target, longest.started_at,
           coalesce((select bool_or(held.more) from held), false) or cardinality(_named) >= 20 as more
    into _found
    from (select sum(mine.busy)::bigint as busy from mine) as counted
    left join longest on true;
  end if;
  holds := case when _found.busy >= _sum then true when _found.more then null else false end;
  text := case
    when holds and _found.id is null then format('all %s slots are busy', _sum)
    when holds then format('all %s slots are busy; longest with job %s%s, for %s', _sum, _found.id,
                           coalesce(format(' (%s)', _found.target), ''), pgqueue.time_between(_found.started_at, _now))
    when holds is null then format('at least %s of %s slots are busy; there may be more', _found.busy, _sum)
    else format('%s of %s slots are busy', _found.busy, _sum) end;
  detail := jsonb_strip_nulls(jsonb_build_object(
    'slots', _sum, 'busy', _found.busy, 'workers', cardinality(_ids), 'longest', _found.id, 'target', _found.target,
    'since', _found.started_at));
  cure := case when holds then 'pgqueue worker -A '
    || case when _target is null then 'MODULE' else pgqueue.shell_word(split_part(_target, ':', 1)) end end;
  return next;
end $$;
