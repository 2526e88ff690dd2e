-- Make room for attempts that are about to end: a row under a claim that has not ended was written by hand, and would
-- stand in the way for ever. Walks jobs_pkey, attempts_pkey; O(batch log n).
create or replace function pgqueue.clear_attempts(_ids uuid[]) returns void
language sql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
  delete from pgqueue.attempts as attempt
  using pgqueue.jobs as job
  where job.id = any (_ids) and attempt.job_id = job.id
    and attempt.claim >= job.claim + (job.worker is null)::int
$$;
