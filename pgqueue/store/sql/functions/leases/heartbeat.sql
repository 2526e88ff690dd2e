-- A heartbeat: extends the worker's lease, only if it has not expired, and says what the worker is asked to do.
-- `alive` false means that the lease is gone: the worker's jobs are, or will be, somebody else's. `asked` is null,
-- quiet, stop or evict; `cancelled` are the jobs that run here and are no longer wanted.
-- Walks workers_pkey, and jobs_pkey once per cancellation; O(1) while nothing is cancelled.
create or replace function pgqueue.heartbeat(_worker bigint, _lease interval)
returns table (alive boolean, asked text, cancelled uuid[])
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  _alive boolean;
begin
  update pgqueue.workers as me
  set expires_at = clock_timestamp() + _lease
  where me.id = _worker and me.expires_at > clock_timestamp();
  _alive := found;
  return query
  select _alive,
         (select me.asked from pgqueue.workers as me where me.id = _worker),
         -- A subquery, not a join: it can only be walked from the few cancellations.
         array(
           select unwanted.job_id from pgqueue.cancellations as unwanted
           where (select job.worker from pgqueue.jobs as job where job.id = unwanted.job_id) = _worker);
end $$;
