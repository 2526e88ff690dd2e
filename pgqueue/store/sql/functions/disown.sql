-- running -> ready | cancelled, for jobs that this worker holds without knowing it: the reply to their claim was lost.
-- Waits for a claim of this worker that may still be running elsewhere, and begins the worker's epoch _epoch: a step of
-- an earlier one that is still on its way claims nothing when it arrives. Itself of no later epoch than the worker's
-- own, it was on its way too long, and what it believes is old: nothing is changed. Answers how many jobs there were.
-- Scans jobs; for after a lost reply, not for every day.
create or replace function pgqueue.disown(_worker bigint, _epoch int, _ids uuid[], _claims int[]) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _freed uuid[];
begin
  perform pg_advisory_xact_lock(_worker);
  update pgqueue.workers as me set epoch = _epoch where me.id = _worker and me.epoch < _epoch;
  if not found then
    return 0;
  end if;
  with unknown as materialized (
    select job.id
    from pgqueue.jobs as job
    where job.worker = _worker
      and not exists (
        select from unnest(_ids, _claims) as known (id, claim)
        where known.id = job.id and known.claim = job.claim)
    order by job.id
    for update
  ), freed as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, attempt = greatest(job.attempt, 1) - 1
    from unknown
    where job.id = unknown.id
    returning job.id
  )
  select coalesce(array_agg(freed.id), '{}') into _freed from freed;
  perform pgqueue.call_off(_freed);
  return cardinality(_freed);
end $$;
