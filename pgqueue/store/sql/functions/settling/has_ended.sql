-- Whether a job with this id has been here and ended, or waits at a gate of its workflow.
-- Walks attempts_pkey, dead_jobs_pkey and waiting_id; O(log n).
create or replace function pgqueue.has_ended(_id uuid) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from pgqueue.attempts as attempt where attempt.job_id = _id)
    or exists (select from pgqueue.dead_jobs as dead where dead.id = _id)
    or pgqueue.is_waiting(_id);
end $$;
