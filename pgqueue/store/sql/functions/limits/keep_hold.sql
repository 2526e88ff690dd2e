-- Extend a share that code outside of jobs has, by _lease seconds from now; false if it has run out: others may have it.
-- Walks holds_pkey; O(log n).
create or replace function pgqueue.keep_hold(_key text, _seq bigint, _lease float8) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update pgqueue.holds as h
  set expires_at = clock_timestamp() + make_interval(secs => _lease)
  where h.name = 'k:' || _key and h.seq = _seq and h.expires_at > clock_timestamp();
  return found or _seq = 0;
end $$;
