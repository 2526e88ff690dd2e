-- What a message says of an alert: since when, until when, how often in all and since the last message. No table.
create or replace function pgqueue.alert_facts(_alert pgqueue.alerts) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'key', _alert.key, 'kind', _alert.kind, 'object', _alert.object, 'since', _alert.opened_at, 'until', _alert.last_at,
    'n', _alert.n, 'more', greatest(0, _alert.n - _alert.told_n), 'told_at', case when _alert.told then _alert.told_at end,
    'found', _alert.facts))
$$;
