-- Count _n starts under a rate of this _period at the moment _at, which is that of the jobs. Never undone: what has
-- started has started.
-- Only under the lock of the limit (claim_lanes.sql), after meter_room(). Walks meters_pkey; O(1).
create or replace function pgqueue.meter_charge(_name text, _period float8, _n int, _at timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _meter pgqueue.meters;
  _width constant float8 := _period / 40;
  _now bigint := floor(extract(epoch from _at) / _width);
  _passed int;
begin
  loop
    select * into _meter from pgqueue.meters as m where m.name = _name for no key update;
    if not found then
      insert into pgqueue.meters (name, width, cell, cells)
      values (_name, _width, _now, _n || array_fill(0, array[40]))
      on conflict do nothing;
      exit when found;
      continue;
    end if;
    if _meter.width <> _width then
      _meter.cells := (select least(sum(c), 1e9)::int from unnest(_meter.cells) as c) || array_fill(0, array[40]);
      _meter.cell := _now;
    end if;
    _now := greatest(_now, _meter.cell);
    _passed := least(41, _now - _meter.cell);
    if _passed > 0 then
      _meter.cells := array_fill(0, array[_passed]) || _meter.cells[1 : 41 - _passed];
    end if;
    _meter.cells[1] := _meter.cells[1] + _n;
    update pgqueue.meters as m set width = _width, cell = _now, cells = _meter.cells where m.name = _name;
    exit;
  end loop;
end $$;
