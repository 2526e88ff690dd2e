-- scheduled | ready | retrying: a job that waits takes what a later call says: target, arguments, and whatever else was
-- said. False if it does not wait any more. Waits for a claim in flight, and for whoever else replaces it.
-- run_at moves only if the call says when, and never later than _max_wait after the job was enqueued: unsaid, that is
-- a minute where a delay is given, which each call would give anew, and no bound where a moment is. A ttl counts from
-- run_at, and moves with it. A parked job (park.sql) is back at its old place: nobody has met its new target yet.
-- Walks jobs_pkey, parked_pkey; O(log n).
create or replace function pgqueue.replace_waiting(
  _id uuid, _target text, _args json, _queue text, _priority smallint, _delay interval, _run_at timestamptz,
  _ttl interval, _timeout float8, _max_attempts smallint, _limit_key text, _cost int, _store_result boolean,
  _labels jsonb, _max_wait interval)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _due timestamptz := coalesce(_run_at, clock_timestamp() + make_interval(secs => extract(epoch from _delay)::float8));
  _longest constant interval := make_interval(secs => extract(epoch from
    coalesce(_max_wait, case when _run_at is null then interval '1 minute' end))::float8);
  _job record;
  _before timestamptz;
  _queue_now text;
begin
  select job.claim, job.run_at, job.created_at into _job
  from pgqueue.jobs as job where job.id = _id and job.worker is null for no key update;
  if not found then
    return false;
  end if;
  _before := _job.run_at;
  if exists (select from pgqueue.parked as parked where parked.job_id = _id and parked.claim = _job.claim) then
    delete from pgqueue.parked as parked where parked.job_id = _id returning parked.run_at into _before;
  end if;
  if _due is null then
    _due := _before;
  elsif _longest is not null then
    _due := least(_due, greatest(_before, _job.created_at + _longest));
  end if;
  update pgqueue.jobs as job
  set target = _target, args = coalesce(_args, '{}'), run_at = _due,
      expires_at = coalesce(
        _due + make_interval(secs => extract(epoch from _ttl)::float8), job.expires_at + (_due - _before)),
      queue = coalesce(_queue, job.queue), priority = coalesce(_priority, job.priority),
      timeout = coalesce(_timeout, job.timeout), max_attempts = coalesce(_max_attempts, job.max_attempts),
      limit_key = coalesce(_limit_key, job.limit_key),
      -- Out of its line, if it stood in one: the next look at what is due (line_up.sql) gives it its place.
      lane = pgqueue.lane_of(coalesce(_limit_key, job.limit_key), _target), lined = null,
      cost = coalesce(_cost, job.cost), store_result = coalesce(_store_result, job.store_result),
      labels = coalesce(_labels, job.labels)
  where job.id = _id
  returning job.queue into _queue_now;
  if _due <= clock_timestamp() + interval '10 seconds' then
    perform pgqueue.wake(_queue_now);
  end if;
  return true;
end $$;
