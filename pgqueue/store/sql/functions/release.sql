-- running -> ready | scheduled | retrying: the attempt is given back, the claim number is not.
-- Fenced: touches no row once the lease went to another attempt; answers the ids that were late.
-- A delay of 0 leaves the job at its old place in the order. Only attempts that had begun are recorded.
-- A delay is at most a century, so that no row of a batch can be refused.
-- Walks jobs_pkey in id order; O(batch log n).
create or replace function pgqueue.release(
  _worker bigint, _ids uuid[], _claims int[], _delays float8[], _started boolean[])
returns uuid[]
language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _settled uuid[];
begin
  with held as materialized (
    select job.*, told.delay, told.started
    from unnest(_ids, _claims, _delays, _started) as told (id, claim, delay, started)
    join pgqueue.jobs as job on job.id = told.id and job.claim = told.claim and job.worker = _worker
    order by job.id
    for update of job
  ), freed as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, attempt = job.attempt - 1,
        run_at = case when held.delay > 0 then clock_timestamp() + make_interval(secs => least(held.delay, 3.2e9))
                      else job.run_at end
    from held
    where job.id = held.id
    returning job.id
  ), recorded as (
    insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target)
    select held.id, held.started_at, _worker, held.claim, held.attempt, 'released', held.queue, held.target
    from held
    where held.started
  )
  select coalesce(array_agg(freed.id), '{}') into _settled from freed;

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
