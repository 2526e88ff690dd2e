-- manual -> succeeded, with what a human answers as the job's result; the answer is kept a day, whether or not the job
-- asked for that. Answers the state of the job after the call: `succeeded` also if it had succeeded before, and then
-- `done` is false, and nothing is changed; null if there is no such job.
-- select * from pgqueue.manual_done('0197...', '{"price": 12}', who => 'ann');
-- Who did it, and why, is written into the audit, in the caller's transaction. Waits for whoever else answers.
-- Walks jobs_pkey, manual_jobs_pkey; O(log n).
create or replace function pgqueue.manual_done(
  job_id uuid, result json default null, who text default session_user, why text default null, via text default 'sql',
  out state text, out done boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
#variable_conflict use_variable
declare
  _claim int;
begin
  select job.claim into _claim from pgqueue.jobs as job where job.id = job_id and job.worker = -1 for update;
  done := found and pgqueue.complete(-1, job_id, _claim, result::text);
  if done then
    delete from pgqueue.manual_jobs as manual where manual.job_id = manual_done.job_id;
    insert into pgqueue.audit (who, via, action, job_ids, n, reason)
    values (who, via, 'manual done', array[job_id], 1, why);
  end if;
  state := (select job.state from pgqueue.job as job where job.id = job_id);
end $$;
