-- Upkeep of `cancellations`: a job that was given back while its cancellation had not been committed yet is cancelled
-- now; of a job that has ended the row is dropped. Waits for nobody: rows in somebody's hands are left to the next look.
-- Walks jobs_pkey once per cancellation; O(1) while nothing is cancelled.
create or replace function pgqueue.tidy_cancellations() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _ids constant uuid[] := array(select unwanted.job_id from pgqueue.cancellations as unwanted);
begin
  if _ids = '{}' then
    return;
  end if;
  -- The job first, then its cancellation: as everybody does.
  perform pgqueue.cancel(waiting.id)
  from (
    select job.id from pgqueue.jobs as job
    where job.id = any (_ids) and job.worker is null
    order by job.id
    for update skip locked) as waiting;
  perform pgqueue.forget_cancellations(array(
    select gone.id from unnest(_ids) as gone (id)
    where not exists (select from pgqueue.jobs as job where job.id = gone.id)));
end $$;
