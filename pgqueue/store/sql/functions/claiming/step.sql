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
-- The links of members of workflows count (fire_links.sql), and what they release is due by this transaction's clock: it
-- is claimed below.
-- Leaves out what has a limit: lanes, limited queues and tasks (claim_keyed.sql); but settles it, and its shares go back.
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
  _free_queues text[];
  _free_targets text[];
  _free_keys text[];
  _free_holds bigint[];
  _followed json;
  _workflows uuid[];
  _links text[];
  _moved int;
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
                job.priority, job.max_attempts, job.args, job.labels,
                coalesce(job.start_key, job.unique_key) as unique_key, job.limit_key, job.hold, job.headers,
                job.follow_ups, job.fallen_from, coalesce(job.fallen_from[1], job.target) as first_target,
                job.workflow_id, job.node, job.success_links, job.tenant
    ), members as materialized (
      -- In order of id, so that width_bucket() finds the place of each.
      select array_agg(held.id order by held.id) as ids, array_agg(held.workflow_id order by held.id) as workflows,
             array_agg(held.node order by held.id) as nodes
      from held
      where held.workflow_id is not null
    ), stored as (
      insert into pgqueue.results (job_id, expires_at, result, workflow_id, node)
      select kept.id, case when kept.id = m.ids[kept.place] then 'infinity' else now() + interval '1 day' end,
             kept.result::json, case when kept.id = m.ids[kept.place] then m.workflows[kept.place] end,
             case when kept.id = m.ids[kept.place] then m.nodes[kept.place] end
      from members as m
      cross join lateral (
        select told.id, told.result, width_bucket(told.id, m.ids) as place
        from unnest(_result_ids, _results) as told (id, result)) as kept
      where (kept.id in (select held.id from held)) is true
      on conflict (job_id) do update set expires_at = excluded.expires_at, result = excluded.result
      where results.expires_at <= now()
    ), ended as (
      insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target,
                                    created_at, run_at, priority, max_attempts, args, labels, unique_key, limit_key,
                                    headers, fallen_from, workflow_id, node, tenant)
      select held.id, held.started_at, _worker, held.claim, held.attempt, 'succeeded', held.queue, held.target,
             held.created_at, held.run_at, held.priority, held.max_attempts, held.args, held.labels,
             held.unique_key, held.limit_key, held.headers, held.fallen_from, held.workflow_id, held.node, held.tenant
      from held
    )
    select coalesce(array_agg(held.id), '{}'), array_agg(held.queue) filter (where held.hold is not null),
           array_agg(held.target) filter (where held.hold is not null),
           array_agg(held.limit_key) filter (where held.hold is not null),
           array_agg(held.hold) filter (where held.hold is not null),
           json_agg(json_build_object(
             'id', held.id, 'target', held.first_target, 'follow_ups', held.follow_ups, 'state', 'succeeded',
             'headers', held.headers))
             filter (where held.follow_ups is not null
                        or held.first_target in (select f.target from pgqueue.follow_ups as f)),
           array_agg(held.workflow_id) filter (where held.success_links is not null),
           array_agg(held.success_links::text) filter (where held.success_links is not null)
    into _settled, _free_queues, _free_targets, _free_keys, _free_holds, _followed, _workflows, _links
    from held;
    if _free_holds is not null then
      perform pgqueue.let_go(_free_queues, _free_targets, _free_keys, _free_holds);
    end if;
    if _followed is not null then
      perform pgqueue.follow_up(_followed);
    end if;
    if _workflows is not null then
      _moved := pgqueue.count_ends(_workflows, _links, false, now());
      if _moved < 1000 and exists (select from pgqueue.arrivals) then
        perform pgqueue.fold(now(), 1000 - _moved);
      end if;
    end if;
    if cardinality(_settled) < cardinality(_ids) then
      late := pgqueue.record_late(_worker, _ids, _claims, 'succeeded', _settled);
    end if;
    if exists (select from pgqueue.cancellations) then
      perform pgqueue.forget_cancellations(_settled);
    end if;
    perform pgqueue.wake_waiters(_settled);
  end if;

  if _limit > 0 then
    select me.host, me.epoch, me.passed || limited.targets into _host, _now_epoch, _passed
    from pgqueue.workers as me
    cross join (select array_agg(l.name) as targets from pgqueue.limits as l where l.scope = 'task') as limited
    where me.id = _worker and me.expires_at > clock_timestamp();
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
        where j.worker is null and j.lane is null and j.queue = slot.queue and j.priority = slot.priority
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
          attempt = least(greatest(job.attempt, 0), 32766) + 1, started_at = now(), avoid_host = null,
          -- Who is unique until the start lets go, for good; for all others nothing changes.
          unique_key = case when job.start_key is null then job.unique_key end
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
              where not exists (select from pgqueue.queues as q
                                where q.name = s.queue and (q.limited or pgqueue.is_paused(q.paused, q.paused_until)))) as slot
            cross join lateral (
              select j.ctid,
                     case when pg_column_compression(j.args) is null then pg_column_size(j.args)
                          else octet_length(j.args::text) end + coalesce(pg_column_size(j.labels), 0) as bytes
              from pgqueue.jobs as j
              where j.worker is null and j.lane is null and j.queue = slot.queue and j.priority = slot.priority
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
      -- What somebody else had in hand when it was counted.
      if exists (select from pgqueue.arrivals) then
        perform pgqueue.fold(now());
      end if;
      next_due := pgqueue.next_due(_queues, _priorities);
    end if;
  end if;

  run_at := now();
  alive := _alive;
  return next;
end $$;
