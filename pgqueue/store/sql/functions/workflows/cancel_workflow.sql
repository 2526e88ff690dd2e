-- All of a workflow is cancelled but its callbacks, which their gates release as ever. Marks it, so that nothing more is
-- released; this call reaches at most _most of the jobs that wait for a worker, of those that wait at gates, and of those
-- that run, whose workers are told. Upkeep goes on by itself, as does who calls again: answers how many jobs were
-- cancelled or told, 0 once all are reached; null if there is no such workflow.
-- Walks jobs_workflow, waiting_pkey, dead_jobs_workflow; O(most log n).
create or replace function pgqueue.cancel_workflow(_id uuid, _most int default 250, _why text default null) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _said constant text := coalesce('its workflow was cancelled: ' || _why, 'its workflow was cancelled');
  _callbacks int[];
  _running uuid[];
  _workers bigint[];
  _reached int;
  _members int;
  _left boolean;
begin
  perform pgqueue.note_act('workflows cancel', _id::text);
  update pgqueue.workflows as w
  set asked = 'cancel', asked_at = clock_timestamp(), asked_why = _why, settled_at = null
  where w.id = _id and w.asked is distinct from 'cancel';
  if found then
    perform pgqueue.close_groups(_id);
  elsif not exists (select from pgqueue.workflows as w where w.id = _id) then
    return null;
  end if;
  _callbacks := array(select node.node from pgqueue.nodes as node where node.workflow_id = _id and node.callback);
  _reached := pgqueue.call_off_waiting(array(
    select w.id from pgqueue.waiting as w
    where w.workflow_id = _id and w.node <> all (_callbacks)
    order by w.gate, w.id
    limit _most
    for update skip locked), _said);
  _members := pgqueue.call_off_members(array(
    select job.id from pgqueue.jobs as job
    where job.workflow_id = _id and coalesce(job.worker, -1) = -1 and job.node <> all (_callbacks)
    order by job.node, job.id
    limit _most
    for update skip locked), _said);
  _reached := _reached + _members;

  -- While others wait for a worker, those that run are few among them; and the dead stay as they are.
  if _members < _most then
    _reached := _reached + pgqueue.close_behind_dead(_id, _most);
    with told as (
      insert into pgqueue.cancellations (job_id)
      select job.id from pgqueue.jobs as job
      where job.workflow_id = _id and job.worker >= 0 and job.node <> all (_callbacks)
        and not exists (select from pgqueue.cancellations as c where c.job_id = job.id offset 0)
      order by job.node, job.id
      limit _most
      on conflict do nothing
      returning job_id
    )
    select array_agg(told.job_id) into _running from told;
    if _running is not null then
      perform pgqueue.alert(held.worker)
      from (
        select distinct job.worker from pgqueue.jobs as job where job.id = any (_running) and job.worker >= 0) as held;
      _reached := _reached + cardinality(_running);
    end if;
  end if;

  if _reached = 0 then
    -- What runs and is told comes back cancelled, or releases nothing.
    _left := exists (
        select from pgqueue.jobs as job
        where job.workflow_id = _id and job.node <> all (_callbacks)
          and (coalesce(job.worker, -1) = -1 or not exists (select from pgqueue.cancellations as c where c.job_id = job.id offset 0))
        offset 0)
      or exists (
        select from pgqueue.waiting as w where w.workflow_id = _id and w.node <> all (_callbacks) offset 0);
    if not _left then
      update pgqueue.workflows as w set settled_at = clock_timestamp() where w.id = _id and w.settled_at is null;
    end if;
  end if;
  return _reached;
end $$;
