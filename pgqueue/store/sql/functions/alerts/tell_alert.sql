-- (nothing) -> a message for each channel that hears of such alerts, and a job that sends it, unless one for the same key
-- and channel is under way: that sends the newest. The row of the alert is locked by this transaction, and by that of the
-- job's success: it sees this message, or has ended. Walks alert_messages_pkey and what enqueue() walks; O(channels).
create or replace function pgqueue.tell_alert(_key text, _what text, _facts jsonb, _now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _kind constant text := split_part(_key, ':', 1);
  _number constant bigint := floor(extract(epoch from _now) * 1000);
  _channel text;
  _told int := 0;
begin
  for _channel in
    select c.name from pgqueue.alert_channels as c
    where case _what when 'digest' then true
                     when 'test' then _facts -> 'channels' @> to_jsonb(c.name)
                     else c.kinds is null or _kind = any (c.kinds) end
    order by c.name
  loop
    insert into pgqueue.alert_messages (key, channel, number, what, made_at, facts)
    values (_key, _channel, _number, _what, _now, _facts)
    on conflict do nothing;
    perform pgqueue.enqueue(
      target => 'pgqueue.alerts:send', args => json_build_object('key', _key, 'channel', _channel),
      queue => 'pgqueue.alerts', priority => 9, timeout => interval '1 minute', max_attempts => 12,
      unique_key => 'pgqueue.alerts ' || _channel || ' ' || _key);
    _told := _told + 1;
  end loop;
  return _told;
end $$;
