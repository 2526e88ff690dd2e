-- A message was sent: what came before it and was not is superseded. In the transaction of the job's success; the row of
-- the alert is locked, so that no message comes in between (tell_alert.sql). Answers whether a newer one waits, for which
-- the job goes on. Walks alerts_pkey, alert_messages_pkey; O(messages of the key and channel).
create or replace function pgqueue.alert_sent(_key text, _channel text, _number bigint) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from pgqueue.alerts as a where a.key = _key for update;
  update pgqueue.alert_messages as m
  set sent_at = case when m.number = _number then clock_timestamp() end, superseded = m.number < _number, error = null
  where m.key = _key and m.channel = _channel and m.number <= _number and m.sent_at is null and not m.superseded;
  update pgqueue.alerts as a set last_sent_at = clock_timestamp() where a.key = _key;
  return exists (
    select from pgqueue.unsent_alert(_key, _channel) as newer where newer.number > _number);
end $$;
