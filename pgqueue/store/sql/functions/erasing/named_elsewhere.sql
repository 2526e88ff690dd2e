-- Where else somebody who is sought is named, and is left: schedules that code declares, the cursors of feeds, and what
-- people have typed, as the newest 100,000 lines of the audit and all operations have it. How many rows of which table.
create or replace function pgqueue.named_elsewhere(_sought jsonb) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _values constant text[] := array(
    select label.value from jsonb_each_text(_sought -> 'labels') as label (key, value)
    union
    select arg.value from jsonb_to_recordset(_sought -> 'args') as arg (value text));
begin
  return jsonb_build_object(
    'schedules', (select count(*) from pgqueue.schedules as s
                  where s.source is not null and pgqueue.is_sought(_sought, s.args, s.labels, null)),
    'feeds', (select count(*) from pgqueue.feeds as f where pgqueue.is_sought(_sought, f.cursor, null, null)),
    'operations', (select count(*) from pgqueue.operations as o
                   where exists (select from unnest(_values) as each (value) where strpos(o.filter, each.value) > 0)),
    'audit', (select count(*)
              from (select a.filter from pgqueue.audit as a order by a.id desc limit 100000) as newest
              where exists (select from unnest(_values) as each (value) where strpos(newest.filter, each.value) > 0)));
end $$;
