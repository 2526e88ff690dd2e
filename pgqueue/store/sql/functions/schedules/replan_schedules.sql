-- Have the schedules looked at whose next tick was computed by older rules of time zones; answers how many.
-- For every few minutes. Reads `schedules`.
create or replace function pgqueue.replan_schedules(_tzdata text) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _n int;
begin
  update pgqueue.schedules as s
  set next_at = clock_timestamp(), tzdata = null
  from (
    select old.name from pgqueue.schedules as old
    where old.tzdata < _tzdata and old.cron is not null and old.paused_by is null and old.next_at > clock_timestamp()
    for no key update skip locked) as old
  where s.name = old.name;
  get diagnostics _n = row_count;
  return _n;
end $$;
