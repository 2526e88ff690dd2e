-- running -> ready under another target (_fallbacks), or -> manual (`human`): the attempt is recorded as any failure,
-- and the same job goes on. Its attempts and crashes are counted anew; what it said of its attempts (timeout,
-- max_attempts) was meant for its first target, and is put away until a retry brings that back.
-- A target that has given up before does not come again, and no more than 8 come at all: then the job is dead, for
-- _reasons, or `exhausted`. A job that was to be cancelled while it ran is cancelled.
-- Fenced: touches no row once the lease went to another attempt; answers the ids that were late.
-- Walks jobs_pkey in id order; O(batch log n).
create or replace function pgqueue.fall_back(
  _worker bigint, _ids uuid[], _claims int[], _outcomes text[], _fallbacks text[], _reasons text[],
  _error_types text[], _errors text[], _tracebacks text[], _causes text[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _settled uuid[];
  _late uuid[] := '{}';
  _circling uuid[];
begin
  _circling := array(
    select told.id
    from unnest(_ids, _claims, _fallbacks) as told (id, claim, fallback)
    cross join lateral (
      select held.target, held.fallen_from from pgqueue.jobs as held
      where held.id = told.id and held.claim = told.claim and held.worker = _worker
      offset 0) as job
    where told.fallback <> 'human'
      and (told.fallback = job.target or told.fallback = any (job.fallen_from) or cardinality(job.fallen_from) >= 7));
  if _circling <> '{}' then
    select pgqueue.fail(
      _worker, array_agg(told.id), array_agg(told.claim), array_agg(told.outcome), array_agg(null::float8),
      array_agg(coalesce(told.reason, 'exhausted')), array_agg(told.error_type), array_agg(told.error),
      array_agg(told.traceback), array_agg(told.cause))
    into _late
    from unnest(_ids, _claims, _outcomes, _reasons, _error_types, _errors, _tracebacks, _causes)
      as told (id, claim, outcome, reason, error_type, error, traceback, cause)
    where told.id = any (_circling);
  end if;

  with held as materialized (
    select job.*, told.outcome, told.error_type, told.error, told.traceback, told.cause
    from (
      select *
      from unnest(_ids, _claims, _outcomes, _error_types, _errors, _tracebacks, _causes)
        as batch (id, claim, outcome, error_type, error, traceback, cause)
      where batch.id <> all (_circling)
      order by batch.id) as told
    cross join lateral (
      select held.id, held.claim, held.attempt, held.started_at, held.queue, held.target, held.created_at, held.run_at,
             held.priority, held.max_attempts, held.labels, held.limit_key,
             coalesce(held.start_key, held.unique_key) as unique_key, held.workflow_id, held.node, held.tenant
      from pgqueue.jobs as held
      where held.id = told.id and held.claim = told.claim and held.worker = _worker
      for update) as job
  ), recorded as (
    insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target, error_type,
                                  error, traceback, created_at, run_at, priority, max_attempts, labels,
                                  unique_key, limit_key, cause, workflow_id, node, tenant)
    select held.id, held.started_at, _worker,
           coalesce((
             select pgqueue.free_claim(same.job_id)
             from pgqueue.attempts as same where same.job_id = held.id and same.claim = held.claim), held.claim),
           held.attempt, held.outcome, held.queue, held.target,
           held.error_type, held.error, held.traceback, held.created_at, held.run_at, held.priority,
           held.max_attempts, held.labels, held.unique_key, held.limit_key, held.cause,
           held.workflow_id, held.node, held.tenant
    from held
  )
  select coalesce(array_agg(held.id order by held.id), '{}') into _settled from held;
  perform pgqueue.turn(array_agg(told.id), array_agg(told.fallback), array_agg(told.reason))
  from unnest(_ids, _fallbacks, _reasons) as told (id, fallback, reason)
  where told.id = any (_settled);

  perform pgqueue.call_off(_settled);
  perform pgqueue.wake_for(_settled);
  perform pgqueue.wake_waiters(_settled);
  _settled := _settled || _circling;
  if cardinality(_settled) < cardinality(_ids) then
    return pgqueue.record_late(_worker, _ids, _claims, 'failed', _settled) || _late;
  end if;
  return _late;
end $$;
