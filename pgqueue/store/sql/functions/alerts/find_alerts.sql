-- Look at all that can be wrong, and note what is. What cannot be asked (a role that may not, a row that cannot be read)
-- keeps nothing else from being asked. Costs what the functions that it calls cost, each bounded.
create or replace function pgqueue.find_alerts(_now timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _kind text;
begin
  foreach _kind in array array['dead', 'queues', 'growing', 'schedule', 'horizon', 'limit_starved', 'workflow'] loop
    begin
      case _kind
        when 'dead' then
          perform pgqueue.note_alert('dead', bad.object, bad.n, bad.since, bad.facts, _now)
          from pgqueue.bad_causes(_now, pgqueue.alert_bound('dead')) as bad
          where pgqueue.alert_bound('dead', bad.object) is not null order by bad.object;
        when 'queues' then
          perform pgqueue.note_alert(bad.kind, bad.object, bad.n, bad.since, bad.facts, _now)
          from pgqueue.bad_queues(_now) as bad order by bad.kind, bad.object;
        when 'growing' then
          perform pgqueue.note_alert('growing', bad.object, bad.n, bad.since, bad.facts, _now)
          from pgqueue.growing_queues(_now) as bad order by bad.object;
        when 'schedule' then
          perform pgqueue.note_alert('schedule', bad.object, bad.n, bad.since, bad.facts, _now)
          from pgqueue.bad_schedules(_now) as bad order by bad.object;
        when 'horizon' then
          perform pgqueue.note_alert('horizon', bad.object, bad.n, bad.since, bad.facts, _now)
          from pgqueue.bad_horizon(_now) as bad;
        when 'limit_starved' then
          perform pgqueue.note_alert('limit_starved', bad.object, bad.n, bad.since, bad.facts, _now)
          from pgqueue.starving_limits(_now) as bad order by bad.object;
        when 'workflow' then
          perform pgqueue.note_alert('workflow', bad.object, bad.n, bad.since, bad.facts, _now)
          from pgqueue.bad_workflows(_now) as bad;
      end case;
    exception when others then
      -- What passes is the next look's to try.
      if sqlstate ~ '^(40|53|55|57|58)' then
        raise;
      end if;
      raise warning 'alerts of kind % cannot be looked for: % (%)', _kind, sqlerrm, sqlstate;
    end;
  end loop;
end $$;
