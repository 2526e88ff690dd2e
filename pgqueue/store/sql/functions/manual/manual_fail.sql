-- manual -> dead, reason `given up`: the human who was asked could not do it either. Answers as manual_done(): the state
-- of the job after the call, and whether this call did it.
-- Who did it, and why, is written into the audit, in the caller's transaction. Waits for whoever else answers.
-- Walks jobs_pkey, manual_jobs_pkey; O(log n).
create or replace function pgqueue.manual_fail(
  job_id uuid, why text default null, who text default session_user, via text default 'sql',
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
  done := found;
  if done then
    perform pgqueue.fail(
      -1, array[job_id], array[_claim], array['failed'], array[null::float8], array['given up'],
      array['pgqueue.GivenUp'], array[coalesce(why, 'a human gave it up')], array[null::text], array[null::text]);
    delete from pgqueue.manual_jobs as manual where manual.job_id = manual_fail.job_id;
    insert into pgqueue.audit (who, via, action, job_ids, n, reason)
    values (who, via, 'manual fail', array[job_id], 1, why);
  end if;
  state := (select job.state from pgqueue.job as job where job.id = job_id);
end $$;
