-- Tell those who wait in result(), or follow what ends, that attempts of these jobs have ended; costs one lock test while
-- nobody does. Who waits or follows holds the shared advisory lock (7703, 0).
create or replace function pgqueue.wake_waiters(_ids uuid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if (case when pg_try_advisory_lock(7703, 0) then not pg_advisory_unlock(7703, 0) else true end) then
    -- Many in one: each is written, and compared with all before. A payload has less than 8,000 bytes.
    perform pg_notify('pgqueue_ended', string_agg(ended.id::text, ','))
    from unnest(_ids) with ordinality as ended (id, number)
    group by (ended.number - 1) / 200;
  end if;
end $$;
