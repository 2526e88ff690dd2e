-- Make the messages that are due: of what has been wrong for 30 s since it was noticed; of what goes on, an hour after
-- the last; of what was well for two looks, if it was told. What would make more than 20 keys an hour becomes one digest,
-- and that at most once an hour. Answers how many messages. Walks alerts_open; reads `alerts` of the last hour.
create or replace function pgqueue.tell_alerts(_now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _at_once constant int := 20;
  _each pgqueue.alerts;
  _due pgqueue.alerts[];
  _lately int;
  _made int := 0;
begin
  for _each in
    select * from pgqueue.alerts as a
    where a.state <> 'well' and a.well >= 2
    order by a.key limit 1000
    for update
  loop
    if _each.told and not _each.in_storm and (_each.muted_until is null or _each.muted_until <= _now) then
      _made := _made + pgqueue.tell_alert(_each.key, 'resolved', pgqueue.alert_facts(_each), _now);
    end if;
    update pgqueue.alerts as a set state = 'well' where a.key = _each.key;
  end loop;

  _due := array(
    select a from pgqueue.alerts as a
    where a.state <> 'well' and a.well = 0 and (a.muted_until is null or a.muted_until <= _now)
      and (a.told_at is null or a.told_at <= _now - interval '1 hour')
      and a.noticed_at <= _now - interval '30 seconds'
      -- What is counted is told again if there was more of it; what lasts is to be seen twice.
      and case when a.kind in ('dead', 'worker_lost') or a.kind = 'schedule' and a.n > 0 then not a.told or a.n > a.told_n
               else a.bad >= 2 or a.kind in ('schedule', 'doctor') end
      -- What is switched off, for one object or for all, is not told.
      and case a.kind when 'worker_lost' then a.n >= pgqueue.alert_bound(a.kind, a.object)
                      else pgqueue.alert_bound(a.kind, a.object) is not null end
    order by a.key limit 1000
    for update);
  if cardinality(_due) = 0 then
    return _made;
  end if;
  select count(*) into _lately from pgqueue.alerts as a
  where a.told_at > _now - interval '1 hour' and not a.in_storm and a.kind <> 'test';
  if _lately + cardinality(_due) > _at_once then
    return _made + pgqueue.tell_storm(_due, _now);
  end if;
  foreach _each in array _due loop
    _made := _made + pgqueue.tell_alert(
      _each.key, case when _each.told then 'again' else 'opened' end, pgqueue.alert_facts(_each), _now);
    update pgqueue.alerts as a
    set state = 'open', told = true, told_at = _now, told_n = a.n, in_storm = false
    where a.key = _each.key;
  end loop;
  return _made;
end $$;
