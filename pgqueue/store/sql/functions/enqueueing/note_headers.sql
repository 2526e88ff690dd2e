-- Who caused these jobs is noted of those that have no headers and still wait: behind the call that enqueued them.
-- Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.note_headers(_ids uuid[], _headers text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  update pgqueue.jobs as job
  set headers = noted.headers::json
  from rows from (unnest(_ids), unnest(_headers)) as noted (id, headers)
  where job.id = noted.id and job.headers is null and job.worker is null;
end $$;
