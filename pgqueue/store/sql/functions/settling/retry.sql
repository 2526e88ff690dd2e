-- dead | manual -> ready with fresh attempts, under its first target, or scheduled | retrying -> ready now. Answers the
-- state of the job after the call: `dead` still, if a live job has its unique key; null if there is no such job.
-- It is wanted again, so a cancellation of it is forgotten, even if it runs. What was unique until its start takes no
-- key again: it cannot stay dead for that.
-- The claim number is kept, so that no earlier attempt can settle. Walks jobs_pkey, dead_jobs_pkey; O(log n).
create or replace function pgqueue.retry(_id uuid) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _dead pgqueue.dead_jobs;
  _target text;
  _queue text;
begin
  perform pgqueue.note_act('jobs retry', null, array[_id]);
  perform pgqueue.forget_cancellations(array[_id]);
  select * into _dead from pgqueue.dead_jobs as dead where dead.id = _id for update;
  if found then
    _target := coalesce(_dead.fallen_from[1], _dead.target);
    insert into pgqueue.jobs (id, created_at, timeout, priority, max_attempts, store_result, queue, target, args,
                              unique_key, start_key, limit_key, cost, hold, lane, lined, labels, headers,
                              follow_ups, workflow_id, node, success_links, tenant)
    values (_id, _dead.created_at, coalesce((_dead.own_terms ->> 'timeout')::float8, _dead.timeout), _dead.priority,
            coalesce((_dead.own_terms ->> 'max_attempts')::smallint, _dead.max_attempts), _dead.store_result,
            _dead.queue, _target, _dead.args,
            case when _dead.start_key is null then _dead.unique_key end, _dead.start_key, _dead.limit_key,
            _dead.cost, _dead.hold, pgqueue.lane_of(_dead.limit_key, _target),
            case when pgqueue.lane_of(_dead.limit_key, _target) is not null then true end, _dead.labels,
            _dead.headers, _dead.follow_ups, _dead.workflow_id, _dead.node, _dead.success_links,
            _dead.tenant)
    on conflict do nothing;
    if not found then
      return 'dead';
    end if;
    -- A new row has no claim (trigger jobs_new); this one goes on where it was.
    update pgqueue.jobs as job set claim = _dead.claim where job.id = _id;
    delete from pgqueue.dead_jobs as dead where dead.id = _id;
    perform pgqueue.wake(_dead.queue);
    return 'ready';
  end if;
  _queue := pgqueue.take_back(_id);
  if _queue is not null then
    perform pgqueue.wake(_queue);
    return 'ready';
  end if;
  begin
    update pgqueue.jobs as job
    -- The clock by which the view below tells `ready`.
    set run_at = least(job.run_at, statement_timestamp()), avoid_host = null
    where job.id = _id and job.worker is null
    returning job.queue into _queue;
    if not found then
      raise 'let go of the lock' using errcode = 'PGQ01';
    end if;
    perform pgqueue.wake(_queue);
  exception when sqlstate 'PGQ01' then
    -- Of a job that was claimed meanwhile: else its worker could not settle before the end of the transaction.
    null;
  end;
  return (select job.state from pgqueue.job as job where job.id = _id);
end $$;
