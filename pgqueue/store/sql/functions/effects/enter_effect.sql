-- Enter a key of the ledger of effects, as `done` in the caller's transaction or as `reserved` in one of its own.
-- `first`: the caller is to do it. `done`: somebody has. `busy`: another attempt, or an open transaction, is at it.
-- `unknown`: an attempt vanished over it, or said that it may have done it; with _take_unknown the caller may do it
-- again, and has the row. `late`: the caller's own attempt is none any more, and must not begin. Of who was there before
-- it answers when and by which job.
-- A reservation is somebody's as long as that very claim runs its job. What is past its keeping time is free. Waits for
-- an open transaction, at most _wait seconds; two that enter the same keys in different orders may deadlock.
-- Walks effects_pkey and, of a row that is reserved, jobs_pkey; O(log n).
create or replace function pgqueue.enter_effect(
  _scope text, _key text, _state text, _keep interval, _wait float8, _take_unknown boolean,
  _job uuid, _worker bigint, _claim int, _attempt int, _target text,
  out standing text, out job_id uuid, out attempt int, out reserved_at timestamptz, out done_at timestamptz,
  out value json)
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _now constant timestamptz := clock_timestamp();
  _done_at constant timestamptz := case when _state = 'done' then _now end;
  _found pgqueue.effects;
begin
  _scope := pgqueue.effect_scope(_scope, _job);
  if _state = 'reserved' and not pgqueue.is_running(_job, _worker, _claim) then
    standing := 'late';
    return;
  end if;
  perform set_config('lock_timeout', greatest(1, ceil(_wait * 1000))::bigint::text, true);
  begin
    -- Again only where the row that was in the way is gone: it was forgotten, or pruned.
    for _try in 1..5 loop
      insert into pgqueue.effects as e (
        scope, key, state, reserved_at, done_at, expires_at, target, job_id, worker, claim, attempt)
      values (
        _scope, _key, _state, _now, _done_at, _now + _keep, _target, _job, _worker, _claim, _attempt)
      on conflict on constraint effects_pkey do nothing;
      if found then
        standing := 'first';
        return;
      end if;
      select * into _found from pgqueue.effects as e where e.scope = _scope and e.key = _key;
      -- Most are done, and nobody need lock a row for that.
      exit when found and _found.state = 'done' and _found.expires_at > _now;
      select * into _found from pgqueue.effects as e where e.scope = _scope and e.key = _key for update;
      exit when found;
    end loop;
  exception when lock_not_available then
    standing := 'busy';
    return;
  end;
  select _found.job_id, _found.attempt, _found.reserved_at, _found.done_at, _found.value
  into job_id, attempt, reserved_at, done_at, value;
  standing := case
    when _found.key is null then 'busy'
    when _found.state = 'done' then case when _found.expires_at > _now then 'done' else 'first' end
    -- The same attempt, whose own reply was lost.
    when _found.state = 'reserved' and (_found.job_id, _found.worker, _found.claim) = (_job, _worker, _claim) then 'first'
    when _found.state = 'reserved' and pgqueue.is_running(_found.job_id, _found.worker, _found.claim) then 'busy'
    when _found.expires_at <= _now then 'first'
    else 'unknown' end;
  if standing = 'first' or (standing = 'unknown' and _take_unknown) then
    update pgqueue.effects as e
    set (state, reserved_at, done_at, expires_at, target, job_id, worker, claim, attempt, value)
      = (_state, _now, _done_at, _now + _keep, _target, _job, _worker, _claim, _attempt, null)
    where e.scope = _scope and e.key = _key;
  end if;
end $$;
