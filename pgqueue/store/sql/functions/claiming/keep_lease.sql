-- Hold the worker's lease until the end of the transaction that has claimed under it; fails with 40001, and undoes the
-- claim, if the lease has ended meanwhile, its row is in the hands of the reaper or of disown(), or the epoch has
-- passed.
-- KEY SHARE: a heartbeat passes it. Waits for nobody. Walks workers_pkey; O(1).
create or replace function pgqueue.keep_lease(_worker bigint, _epoch int) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from pgqueue.workers as me
  where me.id = _worker and me.expires_at > clock_timestamp() and me.epoch = _epoch
  for key share skip locked;
  if not found then
    raise exception 'the lease of worker % ended while it claimed', _worker using errcode = 'serialization_failure';
  end if;
end $$;
