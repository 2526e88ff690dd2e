-- Schedules that nobody can decide about, that nobody looked at for as long as alert_bound() has it, or of which ticks
-- were skipped within the 10 minutes before _now because their time had passed; 200 at most.
-- Walks schedules_due and ticks_decided; reads `schedules` for faults.
create or replace function pgqueue.bad_schedules(_now timestamptz)
returns table (object text, n bigint, since timestamptz, facts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select found.name, max(found.missed)::bigint, min(found.since), jsonb_strip_nulls(jsonb_build_object(
           'target', min(left(found.target, 300)), 'fault', min(left(found.fault, 300)), 'late', bool_or(found.is_late)))
  from (
    (select s.name, 0 as missed, s.next_at as since, s.target, s.fault, s.fault is null as is_late
     from pgqueue.schedules as s
     where s.paused_by is null
       and (s.fault is not null
            or s.next_at < _now - make_interval(secs => pgqueue.alert_bound('schedule', s.name)))
     order by s.next_at limit 200)
    union all
    (select skipped.schedule, count(*), min(skipped.scheduled_for), null, null, null
     from (
       select tick.schedule, tick.scheduled_for, tick.why from pgqueue.ticks as tick
       where tick.decided_at > _now - interval '10 minutes' and tick.decided_at <= _now
       order by tick.decided_at desc limit 5000) as skipped
     where skipped.why = 'skipped'
     group by skipped.schedule
     limit 200)) as found
  where pgqueue.alert_bound('schedule', found.name) is not null
  group by found.name;
end $$;
