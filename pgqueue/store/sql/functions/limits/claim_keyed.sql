-- ready -> running for jobs that have keys, or whose task or queue has a limit: what step() leaves out. One call, one
-- transaction, if the worker's own lease is alive, and not in an _epoch that has passed.
-- With _look it first looks for slots (queue, priority) that have such jobs, lines up what fell due, and says when the
-- next does: in _queues, or, if these are null, in up to 100 queues behind _after. It claims from what it found, and from
-- the slots that the caller knows, each from behind its cursor: higher priorities first, then in the order given.
-- At most _limit jobs, _free of those that have a rate; about _visits lanes are looked at. See claim_lanes.
-- Only under READ COMMITTED: elsewhere a count could be older than the lock that it relies on.
-- Answers claims as step() does; the header says more: the slots that have something, with their cursors; `more` if
-- there is more to look at; whether lanes were in other hands (`busy`), or a rule is not adopted yet (`unadopted`);
-- `waiting` if nothing was claimed, and something waits that is due; behind which queue to look next, '' if that was
-- all. `next_due` is when something falls due or a rate has room again.
-- Walks jobs_lane, jobs_coming, holds_pkey; O((slots + visits + claimed) log n), whatever else waits.
create or replace function pgqueue.claim_keyed(
  _worker bigint, _epoch int, _limit int, _free int, _most_bytes bigint, _visits int, _look boolean, _queues text[],
  _after text, _slots text[], _priorities smallint[], _cursors text[], _careful boolean)
returns table (
  id uuid, claim int, attempt int, crashes int, max_attempts int, timeout float8, store_result boolean,
  priority int, queue text, target text, args text, labels text, run_at timestamptz,
  expired boolean, alive boolean, late uuid[], next_due timestamptz,
  slots text[], priorities smallint[], cursors text[], more boolean, busy boolean, waiting boolean,
  unadopted boolean, look_after text)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _host text;
  _passed text[];
  _limited text[];
  _now_epoch int;
  _names text[];
  _found record;
  _slot record;
  _one record;
  _alive boolean;
  _known text[] := '{}';
  _known_priorities smallint[] := '{}';
  _known_cursors text[] := '{}';
  _more boolean := false;
  _busy boolean := false;
  _unadopted boolean := false;
  _look_after text;
  _next_due timestamptz;
  _again timestamptz;
  _got int := 0;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'jobs with limits are claimed under READ COMMITTED, not %', current_setting('transaction_isolation')
      using errcode = 'feature_not_supported', hint = 'set default_transaction_isolation to read committed';
  end if;
  select me.host, me.epoch, me.passed into _host, _now_epoch, _passed
  from pgqueue.workers as me where me.id = _worker and me.expires_at > clock_timestamp();
  _alive := found;
  if _alive and _now_epoch = _epoch then
    _limited := (select array_agg(l.name) from pgqueue.limits as l where l.scope = 'task');
    _limit := least(_limit, 900);
    if _look then
      _names := coalesce(_queues, pgqueue.keyed_queues(_after, 100, _limited is not null));
      _look_after := case when _queues is null and cardinality(_names) = 100 then _names[100] else '' end;
      _next_due := least(pgqueue.line_up(_names, _limited, 500), (
        select min(q.paused_until) from pgqueue.queues as q
        where q.paused and q.paused_until > now() and q.name = any (_names)));
      select * into _found from pgqueue.keyed_slots(_names);
      -- Those that were known before keep their turn.
      select _slots || array_agg(f.queue), _priorities || array_agg(f.priority), _cursors || array_agg(''::text)
      into _slots, _priorities, _cursors
      from unnest(_found.slots, _found.priorities) as f (queue, priority)
      where (f.queue, f.priority) not in (select k.queue, k.priority from unnest(_slots, _priorities) as k (queue, priority));
    end if;
    for _slot in
      select s.queue, s.priority, s.cursor
      from unnest(_slots, _priorities, _cursors) with ordinality as s (queue, priority, cursor, n)
      where not exists (
        select from pgqueue.queues as q where q.name = s.queue and pgqueue.is_paused(q.paused, q.paused_until))
      order by s.priority desc, s.n
    loop
      if _got >= _limit or _visits <= 0 or _most_bytes <= 0 then
        _more := true;
        _known := _known || _slot.queue; _known_priorities := _known_priorities || _slot.priority;
        _known_cursors := _known_cursors || _slot.cursor;
        continue;
      end if;
      for _one in
        select * from pgqueue.claim_lanes(
          _worker, _host, _passed, _limited, _slot.queue, _slot.priority, _slot.cursor, _limit - _got, _free,
          _most_bytes, _visits, _careful)
      loop
        if _one.id is null then
          _visits := _visits - greatest(_one.visited, 1);
          _again := least(_again, _one.again_at);
          _busy := _busy or _one.busy; _unadopted := _unadopted or _one.unadopted;
          _more := _more or not (_one.whole or _one.busy);
          -- An empty slot is forgotten.
          if _one.visited > 0 or not _one.whole or _one.again_at is not null or _one.unadopted then
            _known := _known || _slot.queue; _known_priorities := _known_priorities || _slot.priority;
            _known_cursors := _known_cursors || _one.next_cursor;
          end if;
        else
          id := _one.id; claim := _one.claim; attempt := _one.attempt; crashes := _one.crashes;
          max_attempts := _one.max_attempts; timeout := _one.timeout; store_result := _one.store_result;
          priority := _one.priority; queue := _one.queue; target := _one.target; args := _one.args;
          labels := _one.labels; run_at := _one.run_at; expired := _one.expired;
          _got := _got + 1;
          _free := _free - 1;
          _most_bytes := _most_bytes - length(args);
          return next;
        end if;
      end loop;
    end loop;
    if _got > 0 then
      -- Neither the reaper nor disown() can pass a claim that is half done, nor the claim slip in behind their backs.
      perform pgqueue.keep_lease(_worker, _epoch);
    else
      waiting := exists (
        select from unnest(_known, _known_priorities) as s (queue, priority)
        cross join lateral (
          select from pgqueue.jobs as j
          where j.worker is null and j.lined and j.queue = s.queue and j.priority = s.priority
          order by j.queue, j.priority
          limit 1) as lined)
        or exists (
          select from unnest(_known, _known_priorities) as s (queue, priority)
          join pgqueue.queues as q on q.name = s.queue and q.limited
          cross join lateral (
            select from pgqueue.jobs as j
            where j.worker is null and j.lane is null and j.queue = s.queue and j.priority = s.priority
              and j.run_at <= now()
            order by j.queue, j.priority
            limit 1) as plain);
    end if;
    _next_due := least(_next_due, _again);
  end if;
  id := null; claim := null; attempt := null; crashes := null; max_attempts := null; timeout := null;
  store_result := null; priority := null; queue := null; target := null; args := null; labels := null; expired := null;
  run_at := now(); alive := _alive; next_due := _next_due; slots := _known; priorities := _known_priorities;
  cursors := _known_cursors; more := _more; busy := _busy; unadopted := _unadopted; look_after := _look_after;
  return next;
end $$;
