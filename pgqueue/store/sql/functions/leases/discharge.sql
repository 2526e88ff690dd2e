-- A worker ends. If it may still hold jobs (`_clean` false), its lease expires now and the reaper looks after them:
-- it was asked to stop, and has not vanished.
-- O(1).
create or replace function pgqueue.discharge(_worker bigint, _clean boolean) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  delete from pgqueue.workers as me where me.id = _worker and _clean;
  update pgqueue.workers as me set expires_at = clock_timestamp(), asked = coalesce(me.asked, 'stop')
  where me.id = _worker and not _clean;
$$;
