-- scheduled | ready | retrying | manual | waiting -> cancelled. Answers the state of the job after the call: `running` if it runs
-- (its worker is told, and it will not run again), its end if it has ended, null if there is no such job.
-- The claim number grows, so that no earlier attempt can settle. Waits for a claim or settle in flight. O(log n).
create or replace function pgqueue.cancel(_id uuid) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _job pgqueue.jobs;
  _ran boolean;
  _claim int;
begin
  perform pgqueue.note_act('jobs cancel', null, array[_id]);
  begin
    select * into _job from pgqueue.jobs as job where job.id = _id for update;
    -- -1: it waits for a human.
    if _job.worker <> -1 then
      raise 'let go of the lock' using errcode = 'PGQ01';
    end if;
  exception when sqlstate 'PGQ01' then
    -- Else its worker could not settle before the end of the caller's transaction.
    insert into pgqueue.cancellations (job_id) values (_id) on conflict do nothing;
    perform pgqueue.alert(_job.worker);
    return 'running';
  end;
  if _job.id is null then
    if pgqueue.cancel_waiting(_id) then
      return 'cancelled';
    elsif exists (select from pgqueue.jobs as job where job.id = _id) then
      -- It was released meanwhile.
      return pgqueue.cancel(_id);
    end if;
    return (select job.state from pgqueue.job as job where job.id = _id);
  end if;
  _ran := exists (select from pgqueue.cancellations as unwanted where unwanted.job_id = _id);
  perform pgqueue.forget_cancellations(array[_id]);
  delete from pgqueue.jobs as job where job.id = _id;
  delete from pgqueue.parked as parked where parked.job_id = _id;
  if _job.worker = -1 then
    delete from pgqueue.manual_jobs as manual where manual.job_id = _id;
  end if;
  if _job.hold is not null then
    -- It held an ordered lane while it waited.
    perform pgqueue.let_go(array[_job.queue], array[_job.target], array[_job.limit_key], array[_job.hold]);
  end if;
  _claim := least(_job.claim, 2147483646) + 1;
  if exists (select from pgqueue.attempts as same where same.job_id = _id and same.claim = _claim) then
    _claim := pgqueue.free_claim(_id);
  end if;
  insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, error, created_at, run_at, priority,
                                max_attempts, args, labels, unique_key, limit_key, workflow_id, node, tenant)
  values (_id, _claim, _job.attempt, 'cancelled', _job.queue, _job.target,
          case when _ran then 'cancelled while it ran' end, _job.created_at, _job.run_at, _job.priority,
          _job.max_attempts, _job.args, _job.labels, coalesce(_job.start_key, _job.unique_key), _job.limit_key,
          _job.workflow_id, _job.node, _job.tenant);
  if _job.follow_ups is not null or exists (
    select from pgqueue.follow_ups as f where f.target = coalesce(_job.fallen_from[1], _job.target))
  then
    perform pgqueue.follow_up(json_build_array(json_build_object(
      'id', _id, 'target', coalesce(_job.fallen_from[1], _job.target), 'follow_ups', _job.follow_ups,
      'state', 'cancelled',
      'reason', case when _ran then 'cancelled while it ran' else 'cancelled before it ran' end,
      'headers', _job.headers)));
  end if;
  if _job.workflow_id is not null then
    perform pgqueue.count_ends(
      array[_job.workflow_id], array[pgqueue.links_called_off(_job.success_links, _job.failure_links)::text], true,
      clock_timestamp());
  end if;
  perform pgqueue.wake_waiters(array[_id]);
  return 'cancelled';
end $$;
