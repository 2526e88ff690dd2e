-- The schedules that it is time to look at, and the time that it is; locks none of them for longer than this statement,
-- and passes by those that another scheduler has in hand, and `_passed`.
-- What was computed by newer rules of time zones than this scheduler's is left to one that has them, half a minute long.
-- Walks schedules_due; O(_limit).
create or replace function pgqueue.due_schedules(_tzdata text, _passed text[], _limit int)
returns table (
  name text, cron text, every float8, timezone text, catch_up text, cap int, grace float8, last_at timestamptz,
  next_at timestamptz, is_now timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
begin
  return query
  select s.name, s.cron, s.every, s.timezone, s.catch_up, s.cap::int, s.grace, s.last_at, s.next_at, _now
  from pgqueue.schedules as s
  where s.paused_by is null and s.next_at <= _now
    and (s.tzdata is null or s.tzdata <= _tzdata or s.next_at <= _now - interval '30 seconds')
    and s.name <> all (_passed)
  order by s.next_at
  limit _limit
  for no key update skip locked;
end $$;
