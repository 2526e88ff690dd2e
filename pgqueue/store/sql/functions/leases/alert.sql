-- Let a worker look at once at what it is asked and at what is cancelled, not only at its next heartbeat.
-- One NOTIFY on the worker's own channel, unless the setting pgqueue.notify is off. O(1), no table.
create or replace function pgqueue.alert(_worker bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(current_setting('pgqueue.notify', true), '') <> 'off' then
    perform pg_notify('pgqueue_' || _worker, 'look');
  end if;
end $$;
