-- running -> succeeded for the last batch, and ready -> running for the next: one call, one transaction.
-- Settles (_ids, _claims), each only with the token of its current lease; of those refused, the late attempt is
-- recorded and the id told. Then claims up to _limit due jobs, if the worker's own lease is alive; but not in an
-- _epoch that has passed: nobody waits for that answer any more.
-- A slot is (queue, priority); slot n begins behind its lower bound (_after[n], _after_ids[n]), pulled back by
-- _lag. Higher priorities come first; among queues of one priority, the one whose head has waited longest.
-- A job that is to avoid the worker's host is passed by until 30 seconds after it fell due.
-- The last row is the header: id null, run_at = now(), alive, late, next_due (only if the batch came back short).
-- Walks jobs_pkey to settle, jobs_claim once per slot; O((batch + slots) log n), whatever else waits.
create or replace function pgqueue.step(
  _worker bigint, _ids uuid[], _claims int[], _result_ids uuid[], _results text[],
  _queues text[], _priorities smallint[], _after timestamptz[], _after_ids uuid[], _lag interval, _limit int,
  _epoch int)
returns table (
  id uuid, claim int, attempt int, crashes int, max_attempts int, timeout float8, store_result boolean,
  priority int, queue text, target text, args text, labels text, run_at timestamptz,
  expired boolean, alive boolean, late uuid[], next_due timestamptz)
language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  -- Elsewhere one text that cannot be said in UTF-8 would refuse the whole batch.
  _utf8 constant boolean := getdatabaseencoding() = 'UTF8';
  _several constant boolean := _queues[1] <> any (_queues);
  _settled uuid[] := '{}';
  _more uuid[];
  _late uuid[];
  _alive boolean := true;
  _host text;
  _now_epoch int;
  _got int := 0;
  _next timestamptz;
begin
  -- Shared with other steps of this worker, exclusive for the reaper and disown(): neither can pass a step that is
  -- half done, and no claim can slip in behind their backs.
  perform pg_advisory_xact_lock_shared(_worker);
  if cardinality(_ids) > 0 then
    -- The second pass, with a new snapshot, only if a row's version moved under the first.
    for pass in 1..2 loop
      with held as (
        delete from pgqueue.jobs as job
        where job.ctid = any (array(
            select mine.ctid
            from unnest(_ids, _claims) as done (id, claim)
            cross join lateral (
              select j.ctid from pgqueue.jobs as j
              where j.id = done.id and j.claim = done.claim and j.worker = _worker limit 1) as mine))
          -- Asked again of a version that moved under this statement.
          and job.worker = _worker and (job.id, job.claim) in (select * from unnest(_ids, _claims))
        returning job.*
      ), stored as (
        insert into pgqueue.results (job_id, expires_at, result)
        select kept.id, now() + interval '1 day', kept.result::json
        from unnest(_result_ids, _results) as kept (id, result)
        where kept.id in (select held.id from held)
        on conflict (job_id) do update set expires_at = excluded.expires_at, result = excluded.result
      ), ended as (
        insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target,
                                      created_at, run_at, priority, max_attempts, args, labels, unique_key, limit_key)
        select held.id, held.started_at, _worker, held.claim, held.attempt, 'succeeded', held.queue, held.target,
               held.created_at, held.run_at, held.priority, held.max_attempts, held.args, held.labels,
               held.unique_key, held.limit_key
        from held
        returning job_id
      )
      select array_agg(ended.job_id) into _more from ended;
      _settled := _settled || coalesce(_more, '{}');
      exit when cardinality(_settled) = cardinality(_ids);
    end loop;
    if cardinality(_settled) < cardinality(_ids) then
      _late := pgqueue.record_late(_worker, _ids, _claims, 'succeeded', _settled);
    end if;
    perform pgqueue.forget_cancellations(_settled);
    perform pgqueue.wake_waiters(_settled);
  end if;

  if _limit > 0 then
    select me.host, me.epoch into _host, _now_epoch
    from pgqueue.workers as me where me.id = _worker and me.expires_at > clock_timestamp();
    _alive := found;
  end if;
  if _limit > 0 and _alive and _now_epoch = _epoch then
    return query
    with taken as (
      update pgqueue.jobs as job
      set worker = _worker, claim = job.claim + 1, attempt = job.attempt + 1, started_at = now(), avoid_host = null
      where job.ctid = any (array(
        select due.ctid
        from (
          select slot.queue, slot.priority, slot.after_at, slot.after_id, head.run_at as head_at
          from (
            -- From the bound, not from now(): what was due before it may have been committed since.
            select s.queue, s.priority, least(s.after_at, now()) - _lag as after_at,
                   case when _lag = '0' and s.after_at <= now() then s.after_id
                        else '00000000-0000-0000-0000-000000000000' end as after_id
            from unnest(_queues, _priorities, _after, _after_ids) as s (queue, priority, after_at, after_id)
            where not exists (select from pgqueue.queues as q where q.name = s.queue and q.paused)) as slot
          left join lateral (
            select j.run_at from pgqueue.jobs as j
            where _several and j.worker is null and j.queue = slot.queue and j.priority = slot.priority
              and j.run_at <= now() and (j.run_at, j.id) > (slot.after_at, slot.after_id)
              and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds')
            order by j.run_at, j.id limit 1) as head on true
          order by slot.priority desc, head.run_at) as slots
        cross join lateral (
          select j.ctid from pgqueue.jobs as j
          where j.worker is null and j.queue = slots.queue and j.priority = slots.priority
            and j.run_at <= now() and (j.run_at, j.id) > (slots.after_at, slots.after_id)
            and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds')
          order by j.run_at, j.id
          limit _limit
          -- `no key`: a row that a foreign key of the user's references would be skipped otherwise.
          for no key update skip locked) as due
        order by slots.priority desc, slots.head_at
        limit _limit))
      returning job.*
    )
    select taken.id, taken.claim, taken.attempt::int, taken.crashes::int, taken.max_attempts::int, taken.timeout,
           taken.store_result, taken.priority::int,
           case when _utf8 then taken.queue else pgqueue.readable(taken.queue) end,
           case when _utf8 then taken.target else pgqueue.readable(taken.target) end,
           case when _utf8 then taken.args::text else pgqueue.readable(taken.args::text) end,
           case when _utf8 then taken.labels::text else pgqueue.readable(taken.labels::text) end,
           taken.run_at, taken.expires_at <= now(), null::boolean, null::uuid[], null::timestamptz
    from taken
    order by taken.priority desc, taken.run_at, taken.id;
    get diagnostics _got = row_count;
    if _got < _limit then
      _next := pgqueue.next_due(_queues, _priorities);
    end if;
  end if;

  return query
  select null::uuid, null::int, null::int, null::int, null::int, null::float8, null::boolean, null::int, null::text,
         null::text, null::text, null::text, now(), null::boolean, _alive, _late, _next;
end $$;
