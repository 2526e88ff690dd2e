-- What a worker does now and then for jobs that nobody knew: it passes by what others know and it does not, and makes
-- those due again that it knows, each at its old place; of a target that it may know and never met, one as a try.
-- With _forget it takes nothing for unknown any more: code may have come since. Looks at _max targets behind _after;
-- answers how many jobs fell due, and behind which target to go on: null at the end. Waits for nobody.
-- Walks parked_target once per target; O(_max log n), and one look at `workers` while nothing is parked.
create or replace function pgqueue.recall(
  _worker bigint, _forget boolean, _after text default '', _max int default 1000, out due int, out go_on text)
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _me record;
  _passed text[];
  _names text[];
  _target text;
  _queues text[];
  _freed int;
begin
  due := 0;
  select me.unknown, me.passed, me.queues, known.names into _me
  from pgqueue.workers as me
  join pgqueue.targets as known on known.hash = me.targets
  where me.id = _worker;
  if not found then
    return;
  end if;
  if _forget then
    _me.unknown := null;
  end if;
  _passed := nullif(pgqueue.known_elsewhere(_worker, _me.unknown), '{}');
  update pgqueue.workers as me
  set unknown = _me.unknown, passed = _passed
  where me.id = _worker and (me.unknown, me.passed) is distinct from (_me.unknown, _passed);

  _names := array(
    with recursive names as (
      (select parked.target from pgqueue.parked as parked
       where parked.target > _after order by parked.target limit 1)
      union all
      select (select parked.target from pgqueue.parked as parked
              where parked.target > names.target order by parked.target limit 1)
      from names
      where names.target is not null
    )
    select names.target from names where names.target is not null limit _max);
  go_on := _names[_max];
  foreach _target in array _names
  loop
    continue when _target = any (_me.unknown) or not pgqueue.knows(_me.names, _target);
    with waiting as materialized (
      select job.id, parked.run_at
      from pgqueue.parked as parked
      join pgqueue.jobs as job on job.id = parked.job_id and job.claim = parked.claim and job.worker is null
      where parked.target = _target and pgqueue.serves(_me.queues, job.queue)
      order by parked.run_at
      limit case when _target = any (_me.names) then _max - due else 1 end
      for no key update of job skip locked
    ), gone as (
      -- What was tried keeps the time since when nobody knows it.
      delete from pgqueue.parked as parked using waiting where parked.job_id = waiting.id and _target = any (_me.names)
    ), freed as (
      update pgqueue.jobs as job set run_at = least(job.run_at, waiting.run_at)
      from waiting where job.id = waiting.id
      returning job.queue
    )
    select count(*), array_agg(distinct freed.queue) into _freed, _queues from freed;
    due := due + _freed;
    perform pgqueue.wake(woken.queue) from unnest(_queues) as woken (queue);
    if due >= _max then
      go_on := _after;
      exit;
    end if;
  end loop;
  -- Of jobs that ended by themselves.
  delete from pgqueue.parked as parked
  where parked.job_id = any (array(
    select old.job_id from pgqueue.parked as old
    where old.until < clock_timestamp() - interval '1 day'
    order by old.until limit _max
    for update skip locked));
end $$;
