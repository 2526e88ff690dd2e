-- One more job of a schedule, now, whatever its rule says, and whether it is paused or not; answers the job's id, null if
-- there is no such schedule. The tick is recorded as `by hand`. Walks what enqueue_tick walks; O(log n).
create or replace function pgqueue.run_schedule(_name text) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _s pgqueue.schedules;
  _job uuid;
begin
  perform pgqueue.note_act('schedules run', _name);
  select s.* into _s from pgqueue.schedules as s where s.name = _name for no key update;
  if not found then
    return null;
  end if;
  select tick.job_id into _job from pgqueue.enqueue_tick(_s, clock_timestamp(), 'by hand') as tick;
  update pgqueue.schedules as s set last_job = _job where s.name = _name;
  return _job;
end $$;
