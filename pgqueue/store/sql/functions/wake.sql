-- Tell idle workers of a queue that there is work: one NOTIFY, and only if somebody idle listens.
-- An idle worker holds the shared advisory lock of its queues, or that of all queues, on its listening connection.
-- try and unlock stay one expression: nothing can interrupt between them and leave a session lock behind.
-- Setting pgqueue.notify: idle (default), always, off. O(1), no table.
create or replace function pgqueue.wake(_queue text) returns void
language plpgsql
as $$
declare
  _mode constant text := coalesce(nullif(current_setting('pgqueue.notify', true), ''), 'idle');
begin
  if _mode = 'off' then
    return;
  end if;
  if _mode = 'always'
    or (case when pg_try_advisory_lock(7701, hashtext(_queue))
          then not pg_advisory_unlock(7701, hashtext(_queue)) else true end)
    or (case when pg_try_advisory_lock(7702, 0)
          then not pg_advisory_unlock(7702, 0) else true end)
  then
    -- A longer payload would be an error, and a name too long would stop the reaper of all queues.
    perform pg_notify('pgqueue', left(_queue, 500));
  end if;
end $$;
