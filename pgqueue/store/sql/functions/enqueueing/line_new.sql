-- A new job that has a limit key and was not told where it waits takes its place in the lane of that key. Called by the
-- trigger jobs_keyed, for such rows alone: of hands, of the last release, and of the functions, whose callers may have
-- no right to these columns yet. With the rights of its owner: who may only insert may not update.
-- Walks jobs_pkey; O(log n).
create or replace function pgqueue.line_new() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update pgqueue.jobs as job
  set lane = pgqueue.lane_of(job.limit_key, job.target), lined = case when job.run_at <= clock_timestamp() then true end
  where job.id = new.id and job.lane is null;
  return null;
end $$;
