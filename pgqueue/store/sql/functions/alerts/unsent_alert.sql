-- The newest message of an alert that a channel has not sent, and what is needed to send it; nothing if there is none,
-- the channel is gone, or the alert is muted. Walks alert_messages_pkey, alerts_pkey, alert_channels_pkey; O(log n).
create or replace function pgqueue.unsent_alert(_key text, _channel text)
returns table (number bigint, what text, made_at timestamptz, facts text, channel_kind text, settings text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  select m.number, m.what, m.made_at, m.facts::text, c.kind, c.settings::text
  from pgqueue.alert_messages as m
  join pgqueue.alert_channels as c on c.name = m.channel
  where m.key = _key and m.channel = _channel and m.sent_at is null and not m.superseded
    and (m.what = 'test' or not exists (
      select from pgqueue.alerts as a where a.key = _key and a.muted_until > clock_timestamp()))
  order by m.number desc
  limit 1;
end $$;
