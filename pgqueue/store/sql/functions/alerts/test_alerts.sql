-- A message that is a test, for these channels. Answers its number. O(channels).
create or replace function pgqueue.test_alerts(_channels text[], _who text) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _now constant timestamptz := clock_timestamp();
begin
  perform pgqueue.note_act('alerts test', array_to_string(_channels, ', '));
  insert into pgqueue.alerts as known (key, kind, object, told_at, last_at) values ('test', 'test', '', _now, _now)
  on conflict (key) do update set told_at = _now, last_at = _now;
  perform pgqueue.tell_alert('test', 'test', jsonb_build_object('who', left(_who, 300), 'channels', _channels), _now);
  return floor(extract(epoch from _now) * 1000);
end $$;
