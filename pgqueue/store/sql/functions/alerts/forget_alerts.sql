-- Forget messages that were made, and alerts that have been well, for longer than a time; at most _most of each.
-- Walks alert_messages_made; reads `alerts`.
create or replace function pgqueue.forget_alerts(_before timestamptz, _most int) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from pgqueue.alert_messages as m
  where m.ctid = any (array(
    select old.ctid from pgqueue.alert_messages as old
    where old.made_at < _before order by old.made_at limit _most));
  delete from pgqueue.alerts as a
  where a.ctid = any (array(
    select old.ctid from pgqueue.alerts as old
    where old.state = 'well' and coalesce(old.last_at, old.told_at, '-infinity') < _before
      and coalesce(old.muted_until, '-infinity') < _before
    limit _most for update skip locked));
end $$;
