-- One digest of alerts that are due, unless there was one within the hour: then they wait. Answers how many messages.
-- The caller has locked their rows. Walks alerts_pkey; O(alerts).
create or replace function pgqueue.tell_storm(_due pgqueue.alerts[], _now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _facts jsonb;
begin
  insert into pgqueue.alerts as storm (key, kind, object, told_at, in_storm, last_at, n)
  values ('storm', 'storm', '', _now, true, _now, cardinality(_due))
  on conflict (key) do update set told_at = _now, last_at = _now, n = excluded.n
  where storm.told_at <= _now - interval '1 hour' or storm.told_at is null;
  if not found then
    return 0;
  end if;
  _facts := jsonb_build_object(
    'keys', cardinality(_due),
    'kinds', (select jsonb_object_agg(each.kind, each.n)
              from (select due.kind, count(*) as n from unnest(_due) as due group by due.kind) as each),
    'since', (select min(due.opened_at) from unnest(_due) as due),
    'first', (select jsonb_agg(pgqueue.alert_facts(each.due))
              from (select due from unnest(_due) as due order by due.n desc, due.key limit 20) as each));
  update pgqueue.alerts as a
  set state = 'open', told = true, told_at = _now, told_n = a.n, in_storm = true
  where a.key = any (array(select due.key from unnest(_due) as due));
  return pgqueue.tell_alert('storm', 'digest', _facts, _now);
end $$;
