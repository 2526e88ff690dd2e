-- How much may start now under a rate of _starts in any _period seconds, at most _burst of them in a fortieth of it;
-- and, if that is nothing, when to look again. A strict window: 41 cells of a fortieth are summed, so nowhere in time
-- are there more. What another period has counted all counts as if it began now.
-- Only under the lock of the limit (claim_lanes.sql). Walks meters_pkey; O(1).
create or replace function pgqueue.meter_room(
  _name text, _starts int, _period float8, _burst int, out room int, out again_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _meter pgqueue.meters;
  _width constant float8 := _period / 40;
  _now bigint := floor(extract(epoch from clock_timestamp()) / _width);
  _passed int := 0;
  _sum int := 0;
  _newest int := 0;
  _oldest int := 1;
begin
  select * into _meter from pgqueue.meters as m where m.name = _name;
  if not found then
    room := least(_starts, _burst);
    return;
  end if;
  if _meter.width <> _width then
    select sum(c) into _sum from unnest(_meter.cells) as c;
    _newest := _sum;
  else
    _passed := least(41, greatest(0, _now - _meter.cell));
    -- A clock that was set back counts on in the cell where it was.
    _now := greatest(_now, _meter.cell);
    if _passed < 41 then
      select coalesce(sum(c), 0), coalesce(max(n) filter (where c > 0), 1) into _sum, _oldest
      from unnest(_meter.cells[1 : 41 - _passed]) with ordinality as cell (c, n);
      _newest := case when _passed = 0 then _meter.cells[1] else 0 end;
    end if;
  end if;
  room := greatest(0, least(_starts - _sum, coalesce(_burst, _starts) - _newest));
  if room = 0 then
    again_at := to_timestamp(
      case when _sum >= _starts then _now - _passed - (_oldest - 1) + 41 else _now + 1 end * _width);
  end if;
end $$;
