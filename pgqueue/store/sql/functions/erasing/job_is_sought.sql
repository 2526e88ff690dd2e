-- Whether this job, wherever it stands, is about whom is sought (is_sought.sql). Walks the primary keys; O(attempts log n).
create or replace function pgqueue.job_is_sought(_sought jsonb, _id uuid) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
begin
  return exists (
      select from pgqueue.jobs as job
      where job.id = _id and pgqueue.is_sought(_sought, job.args, job.labels, job.follow_ups))
    or exists (
      select from pgqueue.waiting as w
      where w.id = _id and pgqueue.is_sought(_sought, w.args, w.labels, w.follow_ups))
    or exists (
      select from pgqueue.dead_jobs as dead
      where dead.id = _id and pgqueue.is_sought(_sought, dead.args, dead.labels, dead.follow_ups))
    or exists (
      select from pgqueue.attempts as a
      where a.job_id = _id and pgqueue.is_sought(_sought, a.args, a.labels, null));
end $$;
