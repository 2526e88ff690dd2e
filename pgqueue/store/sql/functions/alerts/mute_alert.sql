-- Say nothing of an alert until a moment (null: say it again); it need not have been wrong yet. O(1).
create or replace function pgqueue.mute_alert(_key text, _until timestamptz, _who text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.note_act(case when _until is null then 'alerts unmute' else 'alerts mute' end, _key);
  insert into pgqueue.alerts as known (key, kind, object, muted_until, muted_by)
  values (_key, split_part(_key, ':', 1), substr(_key, strpos(_key || ':', ':') + 1), _until, left(_who, 500))
  on conflict (key) do update set muted_until = excluded.muted_until, muted_by = excluded.muted_by;
end $$;
