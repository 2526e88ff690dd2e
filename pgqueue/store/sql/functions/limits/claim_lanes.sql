-- ready -> running for jobs that wait in the lanes of one slot (queue, priority): round robin from behind _cursor, each
-- lane within its limits and rates, and as many at a time as its weight says. In a limited queue its unkeyed jobs are
-- one more lane, the first.
-- Exact: each limit is guarded by a *tried* advisory lock (7710, its name) that is held to COMMIT, and shares are
-- counted in a statement after that lock, whose snapshot has what all earlier holders have committed. What others hold
-- is passed by, so nobody ever waits here. What is full is seen before it is locked: locks are few.
-- At most _limit jobs; of what has a rate at most _free, which start at once; no more than _most_bytes, but always one.
-- The last row is the header: id null, how far the round has come, how many lanes it saw, and whether that was all of
-- them; when a rate has room again; whether a lane was in other hands, or a rule is not adopted yet.
-- _careful: after a refusal, each row is tried by itself before it is taken (refused_among.sql).
-- Called by claim_keyed. Walks jobs_lane and holds_pkey; O((visited + claimed) log n).
create or replace function pgqueue.claim_lanes(
  _worker bigint, _host text, _passed text[], _limited text[], _queue text, _priority smallint, _cursor text,
  _limit int, _free int, _most_bytes bigint, _visits int, _careful boolean)
returns table (
  id uuid, claim int, attempt int, crashes int, max_attempts int, timeout float8, store_result boolean,
  priority int, queue text, target text, args text, labels text, run_at timestamptz, expired boolean,
  next_cursor text, visited int, whole boolean, again_at timestamptz, busy boolean, unadopted boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  _utf8 constant boolean := getdatabaseencoding() = 'UTF8';
  _rule pgqueue.limits;
  _queue_name text;
  _queue_left int;
  _ruled boolean;
  _lanes pgqueue.lane[];
  _rooms record;
  _n int;
  _got int := 0;
  _until text;
  _wrapped boolean := coalesce(_cursor, '') = '';
  _share int;
  _behind text;
  _picked record;
  _holds bigint[];
  _now timestamptz;
  _refused uuid[];
  _taken int;
  _weight int;
begin
  next_cursor := coalesce(_cursor, ''); visited := 0; busy := false; unadopted := false;
  select * into _rule from pgqueue.limits as l where l.scope = 'queue' and l.name = _queue;
  if _rule.concurrency is not null or _rule.starts is not null then
    _queue_name := 'q:' || _queue;
    if not _rule.adopted then
      unadopted := true; _limit := 0; visited := 1;
    elsif pgqueue.held(_queue_name, _rule.concurrency) >= _rule.concurrency then
      _limit := 0; visited := 1;
    elsif not pg_try_advisory_xact_lock(7710, hashtext(_queue_name)) then
      busy := true; _limit := 0; visited := 1;
    else
      _limit := least(_limit, _rule.concurrency - pgqueue.held(_queue_name, _rule.concurrency));
      if _rule.starts is not null then
        select m.room, m.again_at into _queue_left, again_at
        from pgqueue.meter_room(_queue_name, _rule.starts, _rule.period, _rule.burst) as m;
        _limit := least(_limit, _queue_left, _free);
      end if;
      visited := (_limit <= 0)::int;
    end if;
  end if;

  while _got < _limit and visited < _visits loop
    _behind := next_cursor;
    if _queue_name is not null and next_cursor = '' then
      -- Behind '' and before all lanes.
      next_cursor := chr(1);
      _lanes := array[('', null, 1, false, true, null, null, null, null, null, null, null, null, null, null, _limit,
                       null, null, null, null, null)::pgqueue.lane];
      _n := 1;
      _ruled := false;
    else
      _n := least(_limit - _got, _visits - visited, 200);
      _lanes := pgqueue.next_lanes(_queue, _priority, next_cursor, _until, _n);
      if not _wrapped and _queue_name is null and coalesce(cardinality(_lanes), 0) < _n then
        -- The round goes on at the first lane, and all that are looked at together take equal parts.
        _wrapped := true;
        _until := _cursor;
        _lanes := _lanes || pgqueue.next_lanes(_queue, _priority, '', _until, _n - coalesce(cardinality(_lanes), 0));
      end if;
      if _lanes is null then
        exit when _wrapped;
        _wrapped := true;
        _until := _cursor;
        next_cursor := '';
        continue;
      end if;
      _n := cardinality(_lanes);
      next_cursor := _lanes[_n].lane;
      _share := greatest(1, (_limit - _got + _n - 1) / _n);
      select * into _rooms from pgqueue.lane_rooms(_lanes, _share);
      _lanes := _rooms.lanes;
      _ruled := _rooms.ruled;
      busy := busy or _rooms.busy;
      unadopted := unadopted or _rooms.unadopted;
      again_at := least(again_at, _rooms.again_at);
    end if;
    -- A lane that was locked and brings nothing, as none of its jobs is for this worker, weighs as much as eight that
    -- were looked at: what a call may lock is a small part of the table of all locks.
    visited := visited + _n + 7 * (select count(*) from unnest(_lanes) as l where l.cap > 0 and l.key_name is not null)::int;
    select * into _picked
    from pgqueue.pick_jobs(_lanes, _host, _passed, _limited, _queue, _priority, _queue_left,
                           coalesce(_rule.burst, _rule.starts), _limit - _got, _free, _most_bytes);
    again_at := least(again_at, _picked.again_at);
    if _limited is not null and (_picked.ctids is null or cardinality(_picked.ctids) < _limit - _got)
      and pgqueue.line_apart(_queue, _priority, _lanes, _limited) > 0
    then
      again_at := clock_timestamp();
    end if;
    if _careful and _picked.ctids is not null then
      _refused := pgqueue.refused_among(_picked.ids, _worker);
      if _refused <> '{}' then
        select array_agg(p.ctid order by p.i) as ctids, array_agg(p.id order by p.i) as ids,
               array_agg(p.lane order by p.i) as lanes, array_agg(p.cost order by p.i) as costs,
               array_agg(p.kept order by p.i) as kept, _picked.bytes as bytes, _picked.cost as cost
        into _picked
        from unnest(_picked.ctids, _picked.ids, _picked.lanes, _picked.costs, _picked.kept)
          with ordinality as p (ctid, id, lane, cost, kept, i)
        where p.id <> all (_refused);
      end if;
    end if;
    continue when _picked.ctids is null;
    _holds := null;
    -- The moment of their start, for them and for the meters: else they could bunch with those that come later.
    _now := clock_timestamp();
    if _ruled or _queue_name is not null then
      _holds := pgqueue.take_shares(_worker, _lanes, _queue_name, _rule, _picked.ids, _picked.lanes, _picked.costs,
                                    _picked.kept, _now);
    end if;

    return query
    with picked as materialized (
      select p.id, p.hold, p.i from unnest(_picked.ids, _holds) with ordinality as p (id, hold, i)
    ), taken as (
      update pgqueue.jobs as job
      set worker = _worker, claim = least(job.claim, 2147483646) + 1,
          attempt = least(greatest(job.attempt, 0), 32766) + 1, started_at = _now, avoid_host = null,
          -- Who is unique until the start lets go, for good; for all others nothing changes.
          unique_key = case when job.start_key is null then job.unique_key end,
          hold = coalesce(p.hold, job.hold)
      from picked as p
      where job.ctid = any (_picked.ctids) and job.id = p.id
      returning job.id, job.claim, job.attempt, job.crashes, job.max_attempts, job.timeout, job.store_result,
                job.priority, job.queue, job.target, job.args, job.labels, job.run_at, job.expires_at, p.i
    )
    select taken.id, taken.claim, taken.attempt::int, greatest(taken.crashes, 0)::int,
           case when taken.max_attempts > 0 then taken.max_attempts::int end,
           case when taken.timeout > 0 and (taken.timeout < 1e10 or taken.timeout = 'infinity') then taken.timeout end,
           taken.store_result, taken.priority::int,
           case when _utf8 then taken.queue else pgqueue.readable(taken.queue) end,
           case when _utf8 then taken.target else pgqueue.readable(taken.target) end,
           case when _utf8 then taken.args::text else pgqueue.readable(taken.args::text) end,
           case when _utf8 then taken.labels::text else pgqueue.readable(taken.labels::text) end,
           taken.run_at, taken.expires_at <= now(), null::text, null::int, null::boolean, null::timestamptz,
           null::boolean, null::boolean
    from taken
    order by taken.i;

    _taken := cardinality(_picked.ctids);
    visited := greatest(_n, visited - 7 * _taken);
    _got := _got + _taken;
    _free := _free - _taken;
    _most_bytes := _most_bytes - _picked.bytes;
    _queue_left := _queue_left - _picked.cost;
    exit when _most_bytes <= 0;
    if _got >= _limit then
      -- Behind the last that was served; before it, if its weight says so.
      _n := _picked.lanes[_taken];
      _weight := _lanes[_n].weight;
      if _weight > 1 and random() < 1 - 1.0 / _weight then
        next_cursor := case when _n > 1 then _lanes[_n - 1].lane else _behind end;
      else
        next_cursor := case when _lanes[_n].lane = '' then chr(1) else _lanes[_n].lane end;
      end if;
    end if;
  end loop;
  -- All that there is was seen, unless something ended the round before.
  whole := not busy and not (_got >= _limit and _got > 0) and visited < _visits;
  return next;
end $$;
