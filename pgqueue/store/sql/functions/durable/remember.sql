-- Write down what a step of a durable function came to, in the transaction of its effects. Answers `done`; `there` and
-- what another attempt has written, which counts; `late` if the lease is gone. The caller rolls back unless it is `done`.
-- Fenced without a lock on the job's row, which would keep the reaper and whoever cancels waiting: the key of the step
-- lets one attempt in. Only what is to be undone, and a step after a crash, write the job's row.
-- Walks jobs_pkey, steps_pkey; O(log n).
create or replace function pgqueue.remember(
  _worker bigint, _id uuid, _claim int, _kind text, _name text, _nth int, _result json, _undo json default null,
  out standing text, out result text)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _crashes smallint;
begin
  select job.crashes into _crashes
  from pgqueue.jobs as job where job.id = _id and job.claim = _claim and job.worker = _worker;
  if not found then
    standing := 'late';
    return;
  end if;
  insert into pgqueue.steps (job_id, kind, name, nth, claim, result, undo)
  values (_id, _kind, _name, _nth, _claim, _result, _undo)
  on conflict do nothing;
  if not found then
    standing := 'there';
    select step.result::text into result
    from pgqueue.steps as step where step.job_id = _id and step.kind = _kind and step.name = _name;
    return;
  end if;
  if _undo is not null then
    perform pgqueue.mind_end(_id, _claim);
  end if;
  if _crashes <> 0 then
    -- It has come further: a crash after this is another one.
    update pgqueue.jobs as job set crashes = 0 where job.id = _id and job.claim = _claim and job.worker = _worker;
  end if;
  standing := 'done';
end $$;
