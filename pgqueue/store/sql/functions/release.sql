-- running -> ready | scheduled | retrying | cancelled: the attempt is given back, the claim number is not.
-- Fenced: touches no row once the lease went to another attempt; answers the ids that were late.
-- A delay of 0 leaves the job at its old place in the order. Only attempts that had begun are recorded, with the error
-- that its host brought upon it; the job is then kept from that host for a while (_avoid).
-- A delay is at most a century, so that no row of a batch can be refused.
-- Walks jobs_pkey in id order; O(batch log n).
create or replace function pgqueue.release(
  _worker bigint, _ids uuid[], _claims int[], _delays float8[], _started boolean[], _avoid boolean[],
  _error_types text[], _errors text[], _tracebacks text[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _settled uuid[];
  _host constant text := (select me.host from pgqueue.workers as me where me.id = _worker);
begin
  with held as materialized (
    select job.*, told.delay, told.started, told.avoid, told.error_type, told.error, told.traceback
    from unnest(_ids, _claims, _delays, _started, _avoid, _error_types, _errors, _tracebacks)
      as told (id, claim, delay, started, avoid, error_type, error, traceback)
    join pgqueue.jobs as job on job.id = told.id and job.claim = told.claim and job.worker = _worker
    order by job.id
    for update of job
  ), freed as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, attempt = greatest(job.attempt, 1) - 1,
        avoid_host = case when held.avoid then _host end,
        run_at = case when held.delay > 0 or held.avoid then clock_timestamp() + make_interval(secs => greatest(0, least(held.delay, 3.2e9)))
                      else job.run_at end
    from held
    where job.id = held.id
    returning job.id
  ), recorded as (
    insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target, error_type,
                                  error, traceback)
    select held.id, held.started_at, _worker,
           coalesce((
             select pgqueue.free_claim(same.job_id)
             from pgqueue.attempts as same where same.job_id = held.id and same.claim = held.claim), held.claim),
           held.attempt, 'released', held.queue, held.target,
           held.error_type, held.error, held.traceback
    from held
    where held.started
  )
  select coalesce(array_agg(freed.id), '{}') into _settled from freed;

  perform pgqueue.call_off(_settled);
  perform pgqueue.wake(freed.queue)
  from (
    select distinct job.queue
    from unnest(_settled) as settled (id)
    join pgqueue.jobs as job on job.id = settled.id
    where job.run_at <= clock_timestamp() + interval '10 seconds') as freed;
  if cardinality(_settled) < cardinality(_ids) then
    return pgqueue.record_late(_worker, _ids, _claims, 'released', _settled);
  end if;
  return '{}';
end $$;
