-- running -> ready | dead, for jobs whose target this worker does not know: nothing of it began, so nothing is counted.
-- Where another live worker may know the target and serves the job's queue, it keeps its place, and this worker passes
-- it by (step.sql). Else it is parked: out of everybody's way, in `parked`, until a worker that knows it says so
-- (recall.sql); and due again at the end of its ttl, or of the time that it may wait. Then it is dead, reason
-- `unregistered`.
-- Fenced: touches no row once the lease went to another attempt; answers the ids that were late.
-- Walks jobs_pkey in id order, parked_pkey; reads `workers`; O(batch log n).
create or replace function pgqueue.park(_worker bigint, _ids uuid[], _claims int[], _errors text[]) returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  -- More are not passed by: a claim compares every job with each of them.
  _most constant int := 500;
  _unknown text[];
  _passed text[];
  _keep interval;
  _given_up uuid[];
  _settled uuid[];
  _free_queues text[];
  _free_targets text[];
  _free_keys text[];
  _free_holds bigint[];
  _late uuid[];
begin
  select array(
           select distinct job.target
           from unnest(_ids, _claims) as told (id, claim)
           cross join lateral (
             select held.target from pgqueue.jobs as held
             where held.id = told.id and held.claim = told.claim and held.worker = _worker
             offset 0) as job
           union select unnest(me.unknown)
           limit _most),
         me.keep_unknown
  into _unknown, _keep
  from pgqueue.workers as me
  where me.id = _worker;
  _keep := coalesce(_keep, '7 days');
  _passed := pgqueue.known_elsewhere(_worker, _unknown);
  update pgqueue.workers as me
  set unknown = _unknown, passed = nullif(_passed, '{}')
  where me.id = _worker and (me.unknown, me.passed) is distinct from (_unknown, nullif(_passed, '{}'));

  -- Its time is over, and it was looked at once more.
  _given_up := array(
    select parked.job_id from pgqueue.parked as parked
    where parked.job_id = any (_ids) and parked.since + _keep <= clock_timestamp()
      and parked.target <> all (coalesce(_passed, '{}')));
  with held as materialized (
    select job.id, job.claim, job.queue, job.target, job.limit_key, job.hold, job.run_at, job.expires_at
    from (
      select * from unnest(_ids, _claims) as batch (id, claim)
      where batch.id <> all (_given_up)
      order by batch.id) as told
    cross join lateral (
      select * from pgqueue.jobs as held
      where held.id = told.id and held.claim = told.claim and held.worker = _worker
      for update) as job
  ), staying as materialized (
    -- Who knows a target, and shares a queue with this worker, may serve another one than the job's.
    select met.queue, met.target
    from (select distinct held.queue, held.target from held where held.target = any (_passed)) as met
    where exists (
      select from pgqueue.workers as other
      left join pgqueue.targets as known on known.hash = other.targets
      where other.id <> _worker and other.expires_at > clock_timestamp()
        and pgqueue.serves(other.queues, met.queue)
        and met.target <> all (coalesce(other.unknown, '{}'))
        and (known.hash is null or pgqueue.knows(known.names, met.target)))
  ), aside as (
    insert into pgqueue.parked as parked (job_id, claim, target, run_at, since, until)
    select held.id, held.claim, held.target, held.run_at, clock_timestamp(),
           least(clock_timestamp() + _keep, held.expires_at)
    from held
    where (held.queue, held.target) not in (select staying.queue, staying.target from staying)
    on conflict (job_id) do update
      set claim = excluded.claim, until = least(parked.since + _keep, excluded.until)
    returning parked.job_id, parked.until
  ), back as materialized (
    -- In order of id, so that width_bucket() finds the place of each.
    select array_agg(held.id order by held.id) as ids, array_agg(aside.until order by held.id) as untils
    from held
    left join aside on aside.job_id = held.id
  ), freed as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, hold = null, attempt = greatest(job.attempt, 1) - 1,
        lined = case when (select b.untils from back as b)[width_bucket(job.id, (select b.ids from back as b))] is null
                     then job.lined end,
        run_at = coalesce(
          (select b.untils from back as b)[width_bucket(job.id, (select b.ids from back as b))], job.run_at)
    where job.id = any ((select b.ids from back as b)::uuid[])
  )
  select coalesce(array_agg(held.id), '{}'), array_agg(held.queue) filter (where held.hold is not null),
         array_agg(held.target) filter (where held.hold is not null),
         array_agg(held.limit_key) filter (where held.hold is not null),
         array_agg(held.hold) filter (where held.hold is not null)
  into _settled, _free_queues, _free_targets, _free_keys, _free_holds
  from held;
  if _free_holds is not null then
    perform pgqueue.let_go(_free_queues, _free_targets, _free_keys, _free_holds);
  end if;

  if _given_up <> '{}' then
    select pgqueue.fail(
      _worker, array_agg(told.id), array_agg(told.claim), array_agg('failed'::text), array_agg(null::float8),
      array_agg('unregistered'::text), array_agg('Unregistered'::text), array_agg(told.error), array_agg(null::text),
      array_agg(null::text))
    into _late
    from unnest(_ids, _claims, _errors) as told (id, claim, error)
    where told.id = any (_given_up);
    _given_up := array(select ended.id from unnest(_given_up) as ended (id) where ended.id <> all (_late));
    delete from pgqueue.parked as parked where parked.job_id = any (_given_up);
    _settled := _settled || _given_up;
  end if;
  perform pgqueue.call_off(_settled);
  perform pgqueue.wake(stays.queue)
  from (
    select distinct job.queue
    from unnest(_settled) as settled (id)
    cross join lateral (
      select held.queue from pgqueue.jobs as held
      where held.id = settled.id and held.worker is null and held.target = any (_passed)
      offset 0) as job) as stays;
  if cardinality(_settled) < cardinality(_ids) then
    return pgqueue.record_late(_worker, _ids, _claims, 'released', _settled);
  end if;
  return '{}';
end $$;
