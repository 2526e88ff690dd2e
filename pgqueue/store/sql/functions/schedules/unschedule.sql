-- A schedule goes; its jobs and its history stay. False if there is none of this name.
-- One that is declared in code comes back when the declarations change. Walks schedules_pkey; O(log n).
create or replace function pgqueue.unschedule(_name text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.note_act('schedules remove', _name);
  delete from pgqueue.schedules as s where s.name = _name;
  return found;
end $$;
