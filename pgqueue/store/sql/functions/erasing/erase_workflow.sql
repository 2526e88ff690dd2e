-- A workflow goes, with all that is known of its jobs, at most _limit of them a call: `more` says to call again. It is
-- cancelled first; while jobs of it run it stays, and they are in `running`.
-- Walks what has a workflow; O(_limit log n).
create or replace function pgqueue.erase_workflow(
  _id uuid, _limit int, out removed jsonb, out running uuid[], out more boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _members uuid[];
begin
  running := '{}';
  removed := '{}';
  more := coalesce(pgqueue.cancel_workflow(_id, _limit), 0) > 0
    and exists (select from pgqueue.jobs as job where job.workflow_id = _id and job.worker is null offset 0);
  _members := array(
    (select w.id from pgqueue.waiting as w where w.workflow_id = _id limit _limit)
    union
    (select job.id from pgqueue.jobs as job where job.workflow_id = _id and coalesce(job.worker, -1) = -1 limit _limit)
    union
    (select d.id from pgqueue.dead_jobs as d where d.workflow_id = _id limit _limit)
    union
    (select a.job_id from pgqueue.attempts as a
     where a.workflow_id = _id
       and not exists (select from pgqueue.jobs as job where job.id = a.job_id offset 0) limit _limit)
    union
    (select r.job_id from pgqueue.results as r where r.workflow_id = _id limit _limit)
    limit _limit);
  if _members <> '{}' then
    select gone.removed, gone.running into removed, running from pgqueue.erase_jobs(_members) as gone;
    -- What somebody else has in hand is passed by, and the workflow with it.
    more := exists (select from jsonb_each_text(removed) as each (name, n) where each.n <> '0');
    return;
  end if;
  running := array(select job.id from pgqueue.jobs as job where job.workflow_id = _id limit _limit);
  if more or running <> '{}' then
    return;
  end if;
  more := pgqueue.forget_workflow(_id, _limit) > 0;
  -- In a statement of its own, which sees whether it has gone.
  more := more and exists (select from pgqueue.workflows as w where w.id = _id);
  removed := jsonb_build_object('workflows', (not more)::int);
end $$;
