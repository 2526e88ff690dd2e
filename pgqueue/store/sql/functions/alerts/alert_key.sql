-- What an alert is called: its kind and its object, which is cut where it is long. No table.
create or replace function pgqueue.alert_key(_kind text, _object text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when _object = '' then _kind
              when length(_object) <= 100 then _kind || ':' || _object
              else _kind || ':' || left(_object, 60) || '#' || md5(_object) end
$$;
