-- Where the next attempt of a job goes on, in the transaction of the caller: it commits with what that has done.
-- Fenced: false if the lease went to another attempt; then nothing was changed, and the caller must roll back. Until the
-- caller's transaction ends nobody takes the job from this attempt: the reaper passes a locked row by.
-- Without a value only the lock: what was written so far stands if it commits, and where to go on stays as it was.
-- Walks jobs_pkey, checkpoints_pkey; O(log n). Writes a version of the job's row only after a crash: it has come further,
-- and crashes are counted in a row.
create or replace function pgqueue.checkpoint(_worker bigint, _id uuid, _claim int, _value json) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _attempt smallint;
  _crashes smallint;
begin
  select job.attempt, job.crashes into _attempt, _crashes
  from pgqueue.jobs as job
  where job.id = _id and job.claim = _claim and job.worker = _worker
  for no key update;
  if not found then
    return false;
  end if;
  if _value is not null then
    insert into pgqueue.checkpoints (job_id, claim, attempt, value) values (_id, _claim, _attempt, _value)
    on conflict (job_id) do update
    set at = clock_timestamp(), claim = excluded.claim, attempt = excluded.attempt, value = excluded.value;
  end if;
  if _crashes <> 0 then
    -- It has come further: a crash after this is another one.
    update pgqueue.jobs as job set crashes = 0 where job.id = _id;
  end if;
  return true;
end $$;
