-- Tell idle workers of a queue that there is work: one NOTIFY, and only if somebody idle listens (is_heard.sql).
-- Setting pgqueue.notify: idle (default), always, off. A queue that is off is never told of. O(1); looks at `queues`
-- only if it would send.
create or replace function pgqueue.wake(_queue text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(current_setting('pgqueue.notify', true), '') <> 'off'
    and pgqueue.is_heard(_queue) and not pgqueue.is_quiet(_queue)
  then
    -- A longer payload would be an error, and a name too long would stop the reaper of all queues.
    perform pg_notify('pgqueue', left(_queue, 500));
  end if;
end $$;
