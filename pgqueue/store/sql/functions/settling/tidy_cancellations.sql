-- Upkeep of `cancellations`: a job that was given back while its cancellation had not been committed yet is cancelled
-- now; of a job that has ended the row is dropped. Waits for nobody: rows in somebody's hands are left to the next
-- look, and so is what a thousand came before. Walks jobs_pkey once per cancellation; O(1) while nothing is cancelled.
create or replace function pgqueue.tidy_cancellations() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _ids constant uuid[] := array(
    select unwanted.job_id from pgqueue.cancellations as unwanted
    -- -1: it waits for a human.
    where coalesce((select job.worker from pgqueue.jobs as job where job.id = unwanted.job_id), -1) = -1
    limit 1000);
begin
  if _ids = '{}' then
    return;
  end if;
  -- The job first, then its cancellation: as everybody does.
  perform pgqueue.cancel_unwanted(array(
    select job.id from pgqueue.jobs as job
    where job.id = any (_ids) and coalesce(job.worker, -1) = -1
    order by job.id
    for update skip locked));
  perform pgqueue.forget_cancellations(array(
    select gone.id from unnest(_ids) as gone (id)
    where not exists (select from pgqueue.jobs as job where job.id = gone.id offset 0)));
end $$;
