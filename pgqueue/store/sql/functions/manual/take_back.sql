-- manual -> ready, under its first target and with fresh attempts: a part of retry(). Answers the job's queue; null if
-- it does not wait for a human. Walks jobs_pkey, manual_jobs_pkey; O(log n).
create or replace function pgqueue.take_back(_id uuid) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _queue text;
begin
  update pgqueue.jobs as job
  set worker = null, attempt = 0, crashes = 0, started_at = null, run_at = statement_timestamp(),
      target = coalesce(job.fallen_from[1], job.target),
      lane = pgqueue.lane_of(job.limit_key, coalesce(job.fallen_from[1], job.target)), lined = null,
      timeout = coalesce((job.own_terms ->> 'timeout')::float8, job.timeout),
      max_attempts = coalesce((job.own_terms ->> 'max_attempts')::smallint, job.max_attempts),
      fallen_from = null, own_terms = null
  where job.id = _id and job.worker = -1
  returning job.queue into _queue;
  delete from pgqueue.manual_jobs as manual where manual.job_id = _id and _queue is not null;
  return _queue;
end $$;
