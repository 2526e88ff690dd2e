-- (nothing) -> dead, for a job that an end brings along and that is refused: reason `unwritable`, or `refused` where its
-- queue does not take its target, with the refusal as its error. Noted as a child, whatever its depth: it does not run. Walks dead_jobs_pkey; O(log n).
create or replace function pgqueue.bury_new(_parent uuid, _new json, _how text, _error text, _error_type text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _job record;
  _id uuid;
  _queue text;
  _key text;
  _kind constant text := case _error_type
    when '53400' then case when _error like 'the queue %' then 'pgqueue.QueueFull' else 'pgqueue.EnqueueLimit' end when '54000' then 'pgqueue.SpawnLimit'
    when '44000' then 'pgqueue.TargetNotAllowed' else 'pgqueue.Unwritable' end;
begin
  select * into _job
  from json_to_record(_new) as new (
    id uuid, target text, args json, queue text, priority smallint, run_at timestamptz, timeout float8,
    max_attempts smallint, unique_key text, limit_key text, store_result boolean, labels jsonb, until_start boolean,
    cost int, follow_ups json, headers json);
  _id := coalesce(_job.id, pgqueue.uuid7());
  if pgqueue.has_ended(_id) then
    return;
  end if;
  _queue := coalesce(_job.queue, pgqueue.route(_job.target));
  _key := pgqueue.tenant_key(_job.unique_key);
  insert into pgqueue.dead_jobs (id, run_at, created_at, timeout, claim, priority, attempt, crashes, max_attempts,
                                 store_result, queue, target, args, unique_key, start_key, limit_key, cost, labels,
                                 headers, follow_ups, reason, error_type, error)
  values (_id, coalesce(_job.run_at, now()), now(), _job.timeout, 1, coalesce(_job.priority, 5::smallint), 0, 0,
          _job.max_attempts, _job.store_result, _queue, _job.target, coalesce(_job.args, '{}'), _key,
          case when _job.until_start then _key end, _job.limit_key, _job.cost, _job.labels, _job.headers,
          _job.follow_ups, case when _error_type = '44000' then 'refused' else 'unwritable' end, _kind, _error);
  insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, error_type, error, created_at, run_at,
                                priority, max_attempts, args, labels, unique_key, limit_key)
  values (_id, 1, 0, 'failed', _queue, _job.target, _kind, _error, now(), coalesce(_job.run_at, now()),
          coalesce(_job.priority, 5::smallint), _job.max_attempts, _job.args, _job.labels, _key, _job.limit_key);
  insert into pgqueue.lineage (job_id, parent_id, root_id, nth, depth, how)
  select _id, _parent, coalesce(above.root_id, _parent),
         coalesce((select max(l.nth) from pgqueue.lineage as l where l.parent_id = _parent), 0) + 1,
         least(coalesce(above.depth, 0) + 1, 32767), _how
  from (select) as one
  left join pgqueue.lineage as above on above.job_id = _parent
  on conflict do nothing;
end $$;
