-- Whether an attempt has its lease still. Walks jobs_pkey; O(log n).
create or replace function pgqueue.has_claim(_worker bigint, _id uuid, _claim int) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  return exists (
    select from pgqueue.jobs as job where job.id = _id and job.claim = _claim and job.worker = _worker);
end $$;
