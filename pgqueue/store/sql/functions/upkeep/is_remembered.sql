-- Whether anything is left of a job: in whatever state, or in the history. Walks primary keys; O(log n).
create or replace function pgqueue.is_remembered(_id uuid) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  return exists (select from pgqueue.jobs as job where job.id = _id)
    or exists (select from pgqueue.dead_jobs as dead where dead.id = _id)
    or exists (select from pgqueue.waiting as waiting where waiting.id = _id)
    or exists (select from pgqueue.attempts as attempt where attempt.job_id = _id);
end $$;
