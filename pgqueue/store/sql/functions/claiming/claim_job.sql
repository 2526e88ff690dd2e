-- scheduled | ready | retrying -> running, for the one job that a human named: whatever waits before it, and even if
-- its queue is paused, or a limit is reached: it takes its share all the same. What was not due yet is due by this call, as by retry. A job past its ttl is never started.
-- Answers no row if the job does not wait, or the worker's own lease is gone.
-- Guarded as in step: no claim can slip in behind the reaper's back. Walks jobs_pkey; O(log n).
create or replace function pgqueue.claim_job(_worker bigint, _id uuid)
returns table (
  id uuid, claim int, attempt int, crashes int, max_attempts int, timeout float8, store_result boolean,
  priority int, queue text, target text, args text, labels text, run_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _epoch constant int := (
    select me.epoch from pgqueue.workers as me where me.id = _worker and me.expires_at > clock_timestamp());
begin
  return query
  update pgqueue.jobs as job
  set worker = _worker, claim = least(job.claim, 2147483646) + 1,
      attempt = least(greatest(job.attempt, 0), 32766) + 1, started_at = now(),
      run_at = least(job.run_at, now()), avoid_host = null,
      unique_key = case when job.start_key is null then job.unique_key end
  where job.id = _id and job.worker is null
    and (job.expires_at is null or job.expires_at > now())
    and _epoch is not null
  returning job.id, job.claim, job.attempt::int, greatest(job.crashes, 0)::int,
            case when job.max_attempts > 0 then job.max_attempts::int end,
            case when job.timeout > 0 and (job.timeout < 1e10 or job.timeout = 'infinity') then job.timeout end,
            job.store_result, job.priority::int, job.queue, job.target, job.args::text, job.labels::text, job.run_at;
  if found then
    perform pgqueue.account(array[_id]);
    perform pgqueue.keep_lease(_worker, _epoch);
  end if;
end $$;
