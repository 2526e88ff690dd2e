-- A paused schedule goes on. What it missed is caught up as `catch_up` says; under `skip` it begins anew, now.
-- False if there is none of this name. Walks schedules_pkey; O(log n).
create or replace function pgqueue.resume_schedule(_name text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.note_act('schedules resume', _name);
  update pgqueue.schedules as s
  set paused_by = null,
      last_at = case when s.catch_up = 'skip' and s.paused_by is not null then clock_timestamp() else s.last_at end,
      -- Somebody is to look, and find the next tick.
      next_at = case when s.paused_by is not null then clock_timestamp() else s.next_at end
  where s.name = _name;
  return found;
end $$;
