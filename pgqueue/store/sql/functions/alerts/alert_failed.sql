-- A message could not be sent: why, for who looks. Walks alert_messages_pkey; O(log n).
create or replace function pgqueue.alert_failed(_key text, _channel text, _number bigint, _error text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  update pgqueue.alert_messages as m set failures = m.failures + 1, error = left(_error, 500)
  where m.key = _key and m.channel = _channel and m.number = _number and m.sent_at is null;
$$;
