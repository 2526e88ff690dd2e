-- The jobs that a claim takes from these lanes of a slot, in their order and locked: of each lane as many as its cap,
-- _limit in all, and as far as the rates leave room for their costs; the first that does not fit ends its lane's turn.
-- Of what has a rate at most _free. An ordered lane gives out its first job or nothing, also if that is locked or not
-- for this worker. `kept` are the shares that some held while they waited, `lanes` are numbers into _lanes; '' stands
-- for jobs without a lane.
-- As in step(): no job that is to avoid this host yet, none whose target is _passed to others, and none of a _limited
-- task that does not wait in a lane of that task; no more than _most_bytes, but always one.
-- Walks jobs_lane once per lane; O(lanes log n + what is taken).
create or replace function pgqueue.pick_jobs(
  _lanes pgqueue.lane[], _host text, _passed text[], _limited text[], _queue text, _priority smallint, _queue_left int,
  _queue_burst int, _limit int, _free int, _most_bytes bigint,
  out ctids tid[], out ids uuid[], out lanes int[], out costs int[], out kept bigint[], out bytes bigint, out cost int,
  out again_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
declare
  _skip constant text[] := _passed || _limited;
  _found int;
  _rest record;
begin
  if _lanes[1].lane = '' then
    select array_agg(f.ctid), array_agg(f.id), array_agg(1), array_agg(f.cost), array_agg(f.hold), sum(f.bytes)
    into ctids, ids, lanes, costs, kept, bytes
    from (
      select due.*, sum(due.bytes) over (order by due.run_at, due.id rows unbounded preceding) - due.bytes as before
      from (
        select j.ctid, j.id, j.run_at, j.hold, greatest(j.cost, 1) as cost,
               case when pg_column_compression(j.args) is null then pg_column_size(j.args)
                    else octet_length(j.args::text) end + coalesce(pg_column_size(j.labels), 0) as bytes
        from pgqueue.jobs as j
        where j.worker is null and j.lane is null and j.queue = _queue and j.priority = _priority
          and j.run_at <= now()
          and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds')
          and (_skip is null or j.target <> all (_skip))
        order by j.run_at, j.id
        limit _limit
        for no key update skip locked) as due) as f
    where f.before < _most_bytes;
  else
    -- An ordered lane gives out what holds it while it waits, else its head, and nothing behind that.
    if exists (select from unnest(_lanes) as l where l.holder is not null or (l.ordered and l.cap > 0)) then
      select array_agg(f.ctid), array_agg(f.id), array_agg(f.n), array_agg(f.cost), array_agg(f.hold), sum(f.bytes)
      into ctids, ids, lanes, costs, kept, bytes
      from (
        select due.*, sum(due.bytes) over (order by due.n rows unbounded preceding) - due.bytes as before
        from (
          select j.*, slot.n::int as n
          from unnest(_lanes) with ordinality as slot (
            lane, target, weight, ordered, adopted, key_name, key_most, key_starts, key_period, key_burst, task_name,
            task_most, task_starts, task_period, task_burst, cap, key_room, task_room, key_left, task_left, holder, n)
          cross join lateral (
            select coalesce(slot.holder, case when slot.ordered and slot.cap > 0 then (
              select head.id from pgqueue.jobs as head
              where head.worker is null and head.lined and head.queue = _queue and head.priority = _priority
                and head.lane = slot.lane and head.run_at <= now()
              order by head.queue, head.priority, head.lane, head.run_at, head.id
              limit 1) end) as id,
              case when slot.holder is null and slot.target is null then _skip else _passed end as skip) as chosen
          cross join lateral (
            select j.ctid, j.id, j.hold, greatest(j.cost, 1) as cost,
                   case when pg_column_compression(j.args) is null then pg_column_size(j.args)
                        else octet_length(j.args::text) end + coalesce(pg_column_size(j.labels), 0) as bytes
            from pgqueue.jobs as j
            where j.id = chosen.id and j.worker is null and j.lane = slot.lane and j.queue = _queue
              and j.priority = _priority and j.run_at <= now()
              and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds')
              and (chosen.skip is null or j.target <> all (chosen.skip))
            for no key update skip locked) as j
          order by slot.n
          limit _limit) as due) as f
      where f.before < _most_bytes;
    end if;
    select array_agg(f.ctid) as ctids, array_agg(f.id) as ids, array_agg(f.n) as lanes, array_agg(f.cost) as costs,
           array_agg(f.hold) as kept, sum(f.bytes) as bytes
    into _rest
    from (
      select due.*, sum(due.bytes) over (order by due.n rows unbounded preceding) - due.bytes as before
      from (
        select due.ctid, due.id, due.hold, due.cost, due.bytes, slot.n::int as n
        from unnest(_lanes) with ordinality as slot (
          lane, target, weight, ordered, adopted, key_name, key_most, key_starts, key_period, key_burst, task_name,
          task_most, task_starts, task_period, task_burst, cap, key_room, task_room, key_left, task_left, holder, n)
        cross join lateral (
          select j.ctid, j.id, j.hold, greatest(j.cost, 1) as cost,
                 case when pg_column_compression(j.args) is null then pg_column_size(j.args)
                      else octet_length(j.args::text) end + coalesce(pg_column_size(j.labels), 0) as bytes
          from pgqueue.jobs as j
          where j.worker is null and j.lined and j.queue = _queue and j.priority = _priority and j.lane = slot.lane
            and j.run_at <= now()
            and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds')
            and (case when slot.target is null then _skip else _passed end is null
                 or j.target <> all (case when slot.target is null then _skip else _passed end))
          order by j.queue, j.priority, j.lane, j.run_at, j.id
          limit slot.cap
          -- `no key`: a row that a foreign key of the user's references would be skipped otherwise.
          for no key update skip locked) as due
        where slot.cap > 0 and not slot.ordered
        order by slot.n
        limit _limit - coalesce(cardinality(pick_jobs.ctids), 0)) as due) as f
    where f.before < _most_bytes - coalesce(pick_jobs.bytes, 0);
    ctids := ctids || _rest.ctids; ids := ids || _rest.ids; lanes := lanes || _rest.lanes;
    costs := costs || _rest.costs; kept := kept || _rest.kept;
    bytes := coalesce(bytes + _rest.bytes, bytes, _rest.bytes);
  end if;
  if ctids is null or _queue_left is null
    -- Two lanes have one key if one of them has a target, too, be its task under a rule or no more.
    and not exists (select from unnest(_lanes) as l where l.key_left is not null or l.target is not null)
  then
    return;
  end if;

  _found := cardinality(ctids);
  select array_agg(f.ctid order by f.i), array_agg(f.id order by f.i), array_agg(f.n order by f.i),
         array_agg(f.cost order by f.i), array_agg(f.hold order by f.i), sum(least(f.cost, _queue_burst)),
         clock_timestamp() + make_interval(secs => least(min(f.key_period), min(f.task_period)) / 40)
  into ctids, ids, lanes, costs, kept, cost, again_at
  from (
    select p.*, slot.key_period, slot.task_period,
           (slot.key_room is null or row_number() over (partition by slot.key_name order by p.i) <= slot.key_room)
           and (slot.task_room is null
            or row_number() over (partition by slot.task_name order by p.i) <= slot.task_room)
           and (slot.key_left is null
            or sum(least(p.cost, slot.key_burst)) over (partition by slot.key_name order by p.i) <= slot.key_left)
           and (slot.task_left is null
            or sum(least(p.cost, slot.task_burst)) over (partition by slot.task_name order by p.i) <= slot.task_left)
           and (_queue_left is null or sum(least(p.cost, _queue_burst)) over (order by p.i) <= _queue_left)
           and (_queue_left is null and slot.key_left is null and slot.task_left is null
            or sum((_queue_left is not null or slot.key_left is not null or slot.task_left is not null)::int)
                 over (order by p.i) <= _free) as fits
    from unnest(ctids, ids, lanes, costs, kept) with ordinality as p (ctid, id, n, cost, hold, i)
    cross join lateral (
      select _lanes[p.n].key_name as key_name, _lanes[p.n].key_left as key_left, _lanes[p.n].key_burst as key_burst,
             _lanes[p.n].key_period as key_period, _lanes[p.n].task_name as task_name,
             _lanes[p.n].task_left as task_left, _lanes[p.n].task_burst as task_burst,
             _lanes[p.n].task_period as task_period, _lanes[p.n].key_room as key_room,
             _lanes[p.n].task_room as task_room) as slot) as f
  where f.fits;
  if cardinality(ctids) = _found then
    again_at := null;
  elsif ctids is null then
    again_at := clock_timestamp() + interval '20 milliseconds';
  end if;
end $$;
