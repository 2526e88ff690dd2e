-- Whether a job with this id has been here and ended. Walks attempts_pkey and dead_jobs_pkey; O(log n).
create or replace function pgqueue.has_ended(_id uuid) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from pgqueue.attempts as attempt where attempt.job_id = _id)
    or exists (select from pgqueue.dead_jobs as dead where dead.id = _id)
$$;
