-- Whether this very claim runs the job; false for a null. Walks jobs_pkey; O(log n).
create or replace function pgqueue.is_running(_job uuid, _worker bigint, _claim int) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pgqueue.jobs as job where job.id = _job and job.worker = _worker and job.claim = _claim)
$$;
