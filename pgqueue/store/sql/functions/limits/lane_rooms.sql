-- How much may start in each of these lanes now: `cap`, no more than _share times the lane's weight; and what the rates
-- of its key and its task leave. Takes the lock of each limit that has room, if nobody else has it; what is full, in
-- other hands (`busy`) or not adopted yet (`unadopted`) has a cap of 0. What lanes
-- under one limit may take together is `key_room` and `task_room`. `ruled`: any has a limit at all.
-- Shares are counted in statements after the locks: see claim_lanes.
-- Walks holds_pkey, meters_pkey; O(lanes log n + the shares that are taken).
create or replace function pgqueue.lane_rooms(
  _lanes pgqueue.lane[], _share int, out lanes pgqueue.lane[], out busy boolean, out unadopted boolean,
  out ruled boolean, out again_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  _task record;
  _tasks text[] := '{}';
  _rooms int[] := '{}';
  _lefts int[] := '{}';
  _room int;
  _left int;
  _again timestamptz;
  _keys int[];
begin
  for _task in
    select distinct on (l.task_name) l.task_name as name, l.task_most as most, l.task_starts as starts,
           l.task_period as period, l.task_burst as burst
    from unnest(_lanes) as l
    where l.task_name is not null and l.adopted
    order by l.task_name
  loop
    _room := null; _left := null;
    if _task.starts is not null then
      select m.room, m.again_at into _left, _again
      from pgqueue.meter_room(_task.name, _task.starts, _task.period, _task.burst) as m;
    end if;
    if _task.most is not null and pgqueue.held(_task.name, _task.most) >= _task.most then
      _room := 0;
    elsif _left = 0 then
      again_at := least(again_at, _again);
    elsif not pg_try_advisory_xact_lock(7710, hashtext(_task.name)) then
      _room := 0;
      busy := true;
    else
      if _task.most is not null then
        _room := _task.most - pgqueue.held(_task.name, _task.most);
      end if;
      if _task.starts is not null then
        select m.room, m.again_at into _left, _again
        from pgqueue.meter_room(_task.name, _task.starts, _task.period, _task.burst) as m;
        again_at := least(again_at, _again);
      end if;
    end if;
    _tasks := _tasks || _task.name; _rooms := _rooms || _room; _lefts := _lefts || _left;
  end loop;

  -- 1: ours to count, 2: ours, and full, but its share waits for its job; 0: full, -1: in other hands, -2: over its
  -- rate, null: no limit.
  select array_agg(case
           when not l.adopted then 0
           when l.key_name is null then null
           when least(_rooms[array_position(_tasks, l.task_name)], _lefts[array_position(_tasks, l.task_name)]) <= 0
             then 0
           when l.key_most <= (
             select count(*) from (
               select from pgqueue.holds as h
               where h.name = l.key_name and (h.expires_at is null or h.expires_at > clock_timestamp())
               limit l.key_most) as taken)
             then case
               when not l.ordered or pgqueue.waits_with_share(l.key_name) is null then 0
               when pg_try_advisory_xact_lock(7710, hashtext(l.key_name)) then 2
               else -1 end
           -- `case`: the others have no rate, and are not asked.
           when case when l.key_starts is not null then (
             select m.room from pgqueue.meter_room(l.key_name, l.key_starts, l.key_period, l.key_burst) as m) end = 0
             then -2
           when pg_try_advisory_xact_lock(7710, hashtext(l.key_name)) then 1
           else -1 end order by l.n),
         coalesce(bool_or(not l.adopted), false), bool_or(l.key_name is not null or l.task_name is not null)
  into _keys, unadopted, ruled
  from unnest(_lanes) with ordinality as l (
    lane, target, weight, ordered, adopted, key_name, key_most, key_starts, key_period, key_burst, task_name,
    task_most, task_starts, task_period, task_burst, cap, key_room, task_room, key_left, task_left, holder, n);
  busy := coalesce(busy, false) or -1 = any (_keys);

  -- A new statement: its snapshot is younger than the locks.
  with counted as materialized (
    select l.lane, l.target, l.weight, l.ordered, l.adopted, l.key_name, l.key_most, l.key_starts, l.key_period,
           l.key_burst, l.task_name, l.task_most, l.task_starts, l.task_period, l.task_burst, l.n,
           case when not l.adopted or _keys[l.n] <= 0 or _keys[l.n] = 2 then 0
                when l.key_most is not null then l.key_most - (
                  select count(*) from (
                    select from pgqueue.holds as h
                    where h.name = l.key_name and (h.expires_at is null or h.expires_at > clock_timestamp())
                    limit l.key_most) as taken) end::int as room,
           case when _keys[l.n] = 2 then pgqueue.waits_with_share(l.key_name) end as holder,
           meter.room as rate_room,
           -- There may be room since the look before.
           case when _keys[l.n] = -2 then coalesce(meter.again_at, clock_timestamp()) else meter.again_at end
             as rate_again,
           array_position(_tasks, l.task_name) as task
    from unnest(_lanes) with ordinality as l (
      lane, target, weight, ordered, adopted, key_name, key_most, key_starts, key_period, key_burst, task_name,
      task_most, task_starts, task_period, task_burst, cap, key_room, task_room, key_left, task_left, holder, n)
    left join lateral (
      select m.room, m.again_at
      from pgqueue.meter_room(l.key_name, l.key_starts, l.key_period, l.key_burst) as m
      where (_keys[l.n] > 0 or _keys[l.n] = -2) and l.key_starts is not null
      offset 0) as meter on true
  )
  select array_agg((
           x.lane, x.target, x.weight, x.ordered, x.adopted, x.key_name, x.key_most, x.key_starts, x.key_period,
           x.key_burst, x.task_name, x.task_most, x.task_starts, x.task_period, x.task_burst,
           case when x.rate_room = 0 or _lefts[x.task] = 0 then 0
                else greatest(0, least(_share * x.weight, x.room, _rooms[x.task])) end,
           case when x.holder is null then x.room end, _rooms[x.task], x.rate_room, _lefts[x.task],
           case when x.rate_room = 0 or _lefts[x.task] = 0 or _rooms[x.task] <= 0 then null else x.holder end
           )::pgqueue.lane order by x.n),
         least(again_at, min(x.rate_again))
  into lanes, again_at
  from counted as x;
end $$;
