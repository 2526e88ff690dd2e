-- A wait goes on with the next job whose signal is missing; with none, the waiting job is due. Where that signal is being
-- sent at this moment the job looks again in a second. False if the job's row is locked by somebody: it was not told.
-- A job that runs looks by itself. Walks signals_pkey, waits_pkey, jobs_pkey; O(jobs awaited log n).
create or replace function pgqueue.pass_on(_wait pgqueue.waits) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _place int := _wait.place;
  _at timestamptz;
  _queue text;
begin
  loop
    _place := pgqueue.next_awaited(_wait.scopes, _wait.name, _place);
    if _place is null then
      -- Due for the step that has just settled whom it waited for; in a long transaction not so early that a worker's
      -- lower bound has passed it.
      _at := greatest(now(), clock_timestamp() - interval '0.5 seconds');
      exit;
    end if;
    if not pg_try_advisory_xact_lock(7714, hashtext(_wait.scopes[_place]::text || _wait.name)) then
      _at := clock_timestamp() + interval '1 second';
      exit;
    end if;
    -- Another snapshot, with the lock in hand.
    exit when not exists (
      select from pgqueue.signals as sent where sent.scope = _wait.scopes[_place] and sent.name = _wait.name);
  end loop;
  if _place is distinct from _wait.place and _place is not null then
    update pgqueue.waits as w set place = _place, scope = _wait.scopes[_place]
    where w.job_id = _wait.job_id and w.claim = _wait.claim;
  end if;
  if _at is null then
    return true;
  end if;
  update pgqueue.jobs as job set run_at = least(job.run_at, _at)
  where job.id = any (array(
    select held.id from pgqueue.jobs as held
    where held.id = _wait.job_id and held.claim = _wait.claim and held.worker is null
    for update skip locked))
  returning job.queue into _queue;
  if found then
    perform pgqueue.wake(_queue);
    return true;
  end if;
  return not exists (
    select from pgqueue.jobs as held
    where held.id = _wait.job_id and held.claim = _wait.claim and held.worker is null);
end $$;
