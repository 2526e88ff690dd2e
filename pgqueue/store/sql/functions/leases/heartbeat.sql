-- A heartbeat: extends the worker's lease, only if it has not expired, and says what the worker is asked to do.
-- `alive` false means that the lease is gone: the worker's jobs are, or will be, somebody else's. `asked` is null,
-- quiet, stop or evict; `cancelled` are the jobs that run here and are no longer wanted.
-- With it comes what the worker says of itself (null: nothing new), which is for people: where that cannot be written,
-- the lease is extended all the same.
-- Walks workers_pkey, worker_reports_pkey, and jobs_pkey once per cancellation; O(1) while nothing is cancelled.
create or replace function pgqueue.heartbeat(_worker bigint, _lease interval, _report text)
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
  if _alive and _report is not null then
    begin
      insert into pgqueue.worker_reports as mine (id, report) values (_worker, _report::json)
      on conflict (id) do update set at = clock_timestamp(), report = excluded.report;
    exception when insufficient_privilege or data_exception or program_limit_exceeded then
      null;
    end;
  end if;
  return query
  select _alive,
         (select me.asked from pgqueue.workers as me where me.id = _worker),
         -- A subquery, not a join: it can only be walked from the few cancellations.
         array(
           select unwanted.job_id from pgqueue.cancellations as unwanted
           where (select job.worker from pgqueue.jobs as job where job.id = unwanted.job_id) = _worker);
end $$;
