-- The tenant of a job, whatever has become of it; null if it has none, or nothing is left of it.
-- Walks jobs_pkey, attempts_pkey, dead_jobs_pkey, waiting_id; O(log n).
create or replace function pgqueue.tenant_of_job(_id uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _tenant text;
begin
  select job.tenant into _tenant from pgqueue.jobs as job where job.id = _id;
  if not found then
    select ended.tenant into _tenant from pgqueue.attempts as ended where ended.job_id = _id limit 1;
  end if;
  if not found then
    select dead.tenant into _tenant from pgqueue.dead_jobs as dead where dead.id = _id;
  end if;
  if not found then
    select w.tenant into _tenant from pgqueue.waiting as w where w.id = _id;
  end if;
  return _tenant;
end $$;
