-- How many of a queue's lanes their limits hold back, of the first 20 at its highest priority that has any: a part of
-- explain_queue(); no row if it has none.
-- Walks jobs_lane, limits_pkey, holds_pkey, meters_pkey; O(20 log n + 20,000 shares at most).
create or replace function pgqueue.explain_lanes(_queue text)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _priority smallint;
  _lanes pgqueue.lane[];
  _seen int;
  _held_back int;
  _first text;
begin
  _priority := (
    select slot.priority
    from generate_series(9, 0, -1) as slot (priority)
    cross join lateral (
      select from pgqueue.jobs as j
      where j.lined and j.queue = _queue and j.priority = slot.priority and j.worker is null
      limit 1) as used
    limit 1);
  if _priority is null then
    return;
  end if;
  _lanes := pgqueue.next_lanes(_queue, _priority, '', null, 20);
  select count(*), count(*) filter (where full_one.it), min(full_one.lane) filter (where full_one.it)
  into _seen, _held_back, _first
  from (
    select split_part(l.lane, chr(1), 1) as lane,
           not l.adopted
           or coalesce(pgqueue.held(l.key_name, least(l.key_most, 1000)) >= l.key_most, false)
           or coalesce(pgqueue.held(l.task_name, least(l.task_most, 1000)) >= l.task_most, false)
           or case when l.key_starts is not null then (
                select m.room from pgqueue.meter_room(l.key_name, l.key_starts, l.key_period, l.key_burst) as m) = 0
              else false end
           or case when l.task_starts is not null then (
                select m.room from pgqueue.meter_room(l.task_name, l.task_starts, l.task_period, l.task_burst) as m) = 0
              else false end as it
    from unnest(_lanes) as l) as full_one;
  code := 'lanes_full';
  holds := _seen > 0 and _held_back = _seen;
  text := format('%s of the first %s lanes are held back by their limits%s', _held_back, _seen,
                 coalesce(format(', %s among them', _first), ''));
  detail := jsonb_strip_nulls(jsonb_build_object('lanes', _seen, 'held_back', _held_back, 'first', _first));
  cure := case when _first is not null then 'pgqueue limits show -- ' || pgqueue.shell_word(_first) end;
  return next;
end $$;
