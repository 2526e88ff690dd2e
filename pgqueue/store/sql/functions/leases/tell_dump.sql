-- A worker tells where its jobs are, as it was asked at that time; not a word if it was asked anew meanwhile.
-- Walks worker_dumps_pkey; O(1).
create or replace function pgqueue.tell_dump(_worker bigint, _asked timestamptz, _dump text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  update pgqueue.worker_dumps as asked
  set told_at = clock_timestamp(), dump = _dump::json
  where asked.worker = _worker and asked.asked_at = _asked and asked.told_at is null;
$$;
