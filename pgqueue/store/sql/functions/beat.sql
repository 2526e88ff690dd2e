-- A heartbeat: extends the worker's lease, only if it has not expired.
-- False means that the lease is gone: the worker's jobs are, or will be, somebody else's. O(1).
create or replace function pgqueue.beat(_worker bigint, _lease interval) returns boolean
language plpgsql
as $$
begin
  update pgqueue.workers as me
  set expires_at = clock_timestamp() + _lease
  where me.id = _worker and me.expires_at > clock_timestamp();
  return found;
end $$;
