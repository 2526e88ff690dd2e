-- A schedule fires no more until it is resumed. False if there is none of this name.
-- Walks schedules_pkey; O(log n).
create or replace function pgqueue.pause_schedule(_name text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.note_act('schedules pause', _name);
  update pgqueue.schedules as s set paused_by = 'hand' where s.name = _name;
  return found;
end $$;
