-- What a worker of revision 0003 calls to settle and to claim, as it was then: functions of today read what came later.
-- Beside it stand no others: what these do not call nobody needs who only settles and claims.

-- The jobs have ended, or are wanted again: nothing of theirs is left to be cancelled.
-- Waits for nobody: a row that somebody holds is left to the reaper. O(1) while nothing is cancelled.
create or replace function pgqueue.forget_cancellations(_ids uuid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  if exists (select from pgqueue.cancellations) then
    delete from pgqueue.cancellations as unwanted
    where unwanted.job_id = any (array(
      select c.job_id from pgqueue.cancellations as c
      where c.job_id = any (_ids)
      for update skip locked));
  end if;
end $$;

-- Hold the worker's lease until the end of the transaction that has claimed under it; fails with 40001, and undoes the
-- claim, if the lease has ended meanwhile, its row is in the hands of the reaper or of disown(), or the epoch has
-- passed.
-- KEY SHARE: a heartbeat passes it. Waits for nobody. Walks workers_pkey; O(1).
create or replace function pgqueue.keep_lease(_worker bigint, _epoch int) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from pgqueue.workers as me
  where me.id = _worker and me.expires_at > clock_timestamp() and me.epoch = _epoch
  for key share skip locked;
  if not found then
    raise exception 'the lease of worker % ended while it claimed', _worker using errcode = 'serialization_failure';
  end if;
end $$;

-- When the next job that is not yet due will be, in these slots; null if none waits.
-- In plpgsql, which keeps its plan: a function in SQL would be parsed and planned anew at every call.
-- Walks jobs_claim once per slot; O(slots log n).
create or replace function pgqueue.next_due(_queues text[], _priorities smallint[]) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
as $$
begin
  return (
    select min(coming.run_at)
    from unnest(_queues, _priorities) as slot (queue, priority)
    cross join lateral (
      select job.run_at
      from pgqueue.jobs as job
      where job.queue = slot.queue and job.priority = slot.priority and job.run_at > now()
      order by job.run_at
      limit 1) as coming);
end $$;

-- A text as it is, or, if it cannot be said in UTF-8, with its bytes written out: so that it hurts its own job alone.
-- For databases of another encoding; in SQL_ASCII anything can stand. O(length).
create or replace function pgqueue.readable(_text text) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if getdatabaseencoding() = 'SQL_ASCII' then
    perform convert_from(convert_to(_text, 'SQL_ASCII'), 'UTF8');
  else
    perform convert_to(_text, 'UTF8');
  end if;
  return _text;
exception when character_not_in_repertoire or untranslatable_character then
  return encode(convert_to(_text, getdatabaseencoding()), 'escape');
end $$;

-- An attempt that wanted to settle after its lease was gone: from `lost` to `late`, nothing else.
-- Answers the ids that really were late. What this token has settled in the same way before is none of them: only the
-- reply was lost. What it has settled in another way is: the caller must not believe in the second.
-- Walks attempts_pkey, jobs_pkey; O(batch log n).
create or replace function pgqueue.record_late(
  _worker bigint, _ids uuid[], _claims int[], _outcome text, _settled uuid[] default '{}')
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  update pgqueue.attempts as attempt
  set outcome = 'late', finished_at = now(), error_type = 'pgqueue.LeaseLost',
      error = format('%s, but its lease had ended before; nothing was changed', _outcome)
  where attempt.job_id = any (_ids) and attempt.worker = _worker and attempt.outcome = 'lost'
    and attempt.job_id <> all (_settled)
    -- `is true`, and `offset` below: as joins they could be turned round, and walk the table.
    and ((attempt.job_id, attempt.claim) in (
      select told.id, told.claim from unnest(_ids, _claims) as told (id, claim))) is true;
  return array(
    select told.id
    from unnest(_ids, _claims) as told (id, claim)
    where told.id <> all (_settled)
      and not exists (
        select from pgqueue.attempts as attempt
        where attempt.job_id = told.id and attempt.claim = told.claim and attempt.worker = _worker
          and case _outcome
                when 'succeeded' then attempt.outcome = 'succeeded'
                when 'released' then attempt.outcome = 'released'
                else attempt.outcome not in ('late', 'lost', 'succeeded', 'released') end
        offset 0)
      and not (
        -- A release of what had not begun leaves no attempt; the job waits, or was called off.
        _outcome = 'released'
        and (exists (
            select from pgqueue.jobs as job
            where job.id = told.id and job.claim = told.claim and job.worker is null
            offset 0)
          or exists (
            select from pgqueue.attempts as ended
            where ended.job_id = told.id and ended.claim - 1 = told.claim and ended.outcome = 'cancelled'
              and ended.worker is null
            offset 0))
        and not exists (
          select from pgqueue.attempts as attempt
          where attempt.job_id = told.id and attempt.claim = told.claim
          offset 0)));
end $$;

-- Tell those who wait in result() that jobs have ended; costs one lock test while nobody waits.
-- Who waits holds the shared advisory lock (7703, 0).
create or replace function pgqueue.wake_waiters(_ids uuid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if (case when pg_try_advisory_lock(7703, 0) then not pg_advisory_unlock(7703, 0) else true end) then
    perform pg_notify('pgqueue_ended', ended.id::text) from unnest(_ids) as ended (id);
  end if;
end $$;

-- running -> succeeded for the last batch, and ready -> running for the next: one call, one transaction.
-- Settles (_ids, _claims), each only with the token of its current lease; of those refused, the late attempt is
-- recorded and the id told. Then claims up to _limit due jobs, if the worker's own lease is alive; but not in an
-- _epoch that has passed: nobody waits for that answer any more.
-- A slot is (queue, priority); slot n begins behind its lower bound (_after[n], _after_ids[n]), pulled back by
-- _lag. Higher priorities come first; among queues of one priority, the one whose head has waited longest: looked up
-- here, unless the slots come _ordered by a worker that knows their heads.
-- Claims no more once arguments and labels amount to _most_bytes, but always one: a row's size is read without its
-- value, unless that is compressed.
-- A job that is to avoid the worker's host is passed by until 30 seconds after it fell due; one whose target another
-- worker knows and this one does not (park.sql), as long as that is so.
-- The last row is the header: id null, run_at = now(), alive, late, next_due (only if nothing was claimed).
-- Walks jobs_pkey to settle, jobs_claim once per slot; O((batch + slots) log n), whatever else waits.
-- What a lone job waits for is the start of these statements, not their rows: each one less is a shorter pick-up.
create or replace function pgqueue.step(
  _worker bigint, _ids uuid[], _claims int[], _result_ids uuid[], _results text[],
  _queues text[], _priorities smallint[], _after timestamptz[], _after_ids uuid[], _lag interval, _limit int,
  _epoch int, _most_bytes bigint, _ordered boolean)
returns table (
  id uuid, claim int, attempt int, crashes int, max_attempts int, timeout float8, store_result boolean,
  priority int, queue text, target text, args text, labels text, run_at timestamptz,
  expired boolean, alive boolean, late uuid[], next_due timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  -- Elsewhere one text that cannot be said in UTF-8 would refuse the whole batch.
  _utf8 constant boolean := getdatabaseencoding() = 'UTF8';
  _settled uuid[];
  _alive boolean := true;
  _host text;
  _passed text[];
  _now_epoch int;
  _got int := 0;
begin
  if cardinality(_ids) > 0 then
    with held as (
      -- By id, so that a version that moved under this statement is found, and asked again for its token. `is true`: as
      -- a join with the batch it could be turned round, and walk the table (docs/design/plans-that-cannot-turn.md).
      delete from pgqueue.jobs as job
      where job.id = any (_ids) and job.worker = _worker
        and ((job.id, job.claim) in (select done.id, done.claim from unnest(_ids, _claims) as done (id, claim))) is true
      returning job.id, job.claim, job.attempt, job.started_at, job.queue, job.target, job.created_at, job.run_at,
                job.priority, job.max_attempts, job.args, job.labels, job.unique_key, job.limit_key
    ), stored as (
      insert into pgqueue.results (job_id, expires_at, result)
      select kept.id, now() + interval '1 day', kept.result::json
      from unnest(_result_ids, _results) as kept (id, result)
      where (kept.id in (select held.id from held)) is true
      on conflict (job_id) do update set expires_at = excluded.expires_at, result = excluded.result
      where results.expires_at <= now()
    ), ended as (
      insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target,
                                    created_at, run_at, priority, max_attempts, args, labels, unique_key, limit_key)
      select held.id, held.started_at, _worker, held.claim, held.attempt, 'succeeded', held.queue, held.target,
             held.created_at, held.run_at, held.priority, held.max_attempts, held.args, held.labels,
             held.unique_key, held.limit_key
      from held
      returning job_id
    )
    select coalesce(array_agg(ended.job_id), '{}') into _settled from ended;
    if cardinality(_settled) < cardinality(_ids) then
      late := pgqueue.record_late(_worker, _ids, _claims, 'succeeded', _settled);
    end if;
    if exists (select from pgqueue.cancellations) then
      perform pgqueue.forget_cancellations(_settled);
    end if;
    perform pgqueue.wake_waiters(_settled);
  end if;

  if _limit > 0 then
    select me.host, me.epoch, me.passed into _host, _now_epoch, _passed
    from pgqueue.workers as me where me.id = _worker and me.expires_at > clock_timestamp();
    _alive := found;
  end if;
  if _limit > 0 and _alive and _now_epoch = _epoch then
    if not _ordered and _queues[1] <> any (_queues) then
      -- Slots of the same priority in the order of their heads, which are looked at and not locked.
      select array_agg(slot.queue order by slot.priority desc, head.run_at),
             array_agg(slot.priority order by slot.priority desc, head.run_at),
             array_agg(slot.after_at order by slot.priority desc, head.run_at),
             array_agg(slot.after_id order by slot.priority desc, head.run_at)
      into _queues, _priorities, _after, _after_ids
      from unnest(_queues, _priorities, _after, _after_ids) as slot (queue, priority, after_at, after_id)
      left join lateral (
        select j.run_at from pgqueue.jobs as j
        where j.worker is null and j.queue = slot.queue and j.priority = slot.priority
          and j.run_at <= now() and (j.run_at, j.id) > (
            least(slot.after_at, now()) - _lag,
            case when _lag = '0' and slot.after_at <= now() then slot.after_id
                 else '00000000-0000-0000-0000-000000000000' end)
          and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds')
          and (_passed is null or j.target <> all (_passed))
        order by j.run_at, j.id limit 1) as head on true;
    end if;
    return query
    with taken as (
      update pgqueue.jobs as job
      set worker = _worker, claim = least(job.claim, 2147483646) + 1,
          attempt = least(greatest(job.attempt, 0), 32766) + 1, started_at = now(), avoid_host = null
      where job.ctid = any (array(
        select fitting.ctid
        from (
          select due.ctid, sum(due.bytes) over (order by due.n rows unbounded preceding) - due.bytes as before
          from (
            select due.ctid, due.bytes, slot.n
            from (
              -- From the bound, not from now(): what was due before it may have been committed since.
              select s.n, s.queue, s.priority, least(s.after_at, now()) - _lag as after_at,
                     case when _lag = '0' and s.after_at <= now() then s.after_id
                          else '00000000-0000-0000-0000-000000000000' end as after_id
              from unnest(_queues, _priorities, _after, _after_ids)
                with ordinality as s (queue, priority, after_at, after_id, n)
              where not exists (select from pgqueue.queues as q where q.name = s.queue and q.paused)) as slot
            cross join lateral (
              select j.ctid,
                     case when pg_column_compression(j.args) is null then pg_column_size(j.args)
                          else octet_length(j.args::text) end + coalesce(pg_column_size(j.labels), 0) as bytes
              from pgqueue.jobs as j
              where j.worker is null and j.queue = slot.queue and j.priority = slot.priority
                and j.run_at <= now() and (j.run_at, j.id) > (slot.after_at, slot.after_id)
                and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds')
                and (_passed is null or j.target <> all (_passed))
              order by j.run_at, j.id
              limit _limit
              -- `no key`: a row that a foreign key of the user's references would be skipped otherwise.
              for no key update skip locked) as due
            order by slot.n
            limit _limit) as due) as fitting
        where fitting.before < _most_bytes))
      returning job.id, job.claim, job.attempt, job.crashes, job.max_attempts, job.timeout, job.store_result,
                job.priority, job.queue, job.target, job.args, job.labels, job.run_at, job.expires_at
    )
    select taken.id, taken.claim, taken.attempt::int, greatest(taken.crashes, 0)::int,
           case when taken.max_attempts > 0 then taken.max_attempts::int end,
           case when taken.timeout > 0 and (taken.timeout < 1e10 or taken.timeout = 'infinity') then taken.timeout end,
           taken.store_result, taken.priority::int,
           case when _utf8 then taken.queue else pgqueue.readable(taken.queue) end,
           case when _utf8 then taken.target else pgqueue.readable(taken.target) end,
           case when _utf8 then taken.args::text else pgqueue.readable(taken.args::text) end,
           case when _utf8 then taken.labels::text else pgqueue.readable(taken.labels::text) end,
           taken.run_at, taken.expires_at <= now(), null::boolean, null::uuid[], null::timestamptz
    from taken
    order by taken.priority desc, taken.run_at, taken.id;
    get diagnostics _got = row_count;
    if _got > 0 then
      -- Neither the reaper nor disown() can pass a claim that is half done, nor the claim slip in behind their backs.
      perform pgqueue.keep_lease(_worker, _epoch);
    else
      next_due := pgqueue.next_due(_queues, _priorities);
    end if;
  end if;

  run_at := now();
  alive := _alive;
  return next;
end $$;

