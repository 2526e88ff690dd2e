-- ready -> running for more jobs of one target, to run in one call with a job of the same slot (queue, priority) that
-- this worker has claimed: the next ones behind (_after, _after_id) that are to make this _attempt, did not crash, and
-- have another attempt after it. `_most_attempts` is for those that do not say themselves how many they have.
-- Guarded as step: the worker's own lease, its epoch, and its lock against the reaper and disown(). Leaves out what has
-- a limit, and what is to avoid this host yet. At most _limit jobs, no more than _most_bytes, but always one.
-- Answers as step(); the header says up to where it has seen the slot, null if there was nothing.
-- Looks at no more than _visits jobs, whatever they are: walks jobs_claim, and jobs_pkey for those that it takes;
-- O(_visits + _limit log n).
create or replace function pgqueue.claim_companions(
  _worker bigint, _epoch int, _queue text, _priority smallint, _target text, _attempt int, _most_attempts int,
  _after timestamptz, _after_id uuid, _limit int, _most_bytes bigint, _visits int)
returns table (
  id uuid, claim int, attempt int, crashes int, max_attempts int, timeout float8, store_result boolean,
  priority int, queue text, target text, args text, labels text, run_at timestamptz,
  expired boolean, alive boolean, late uuid[], next_due timestamptz, seen_at timestamptz, seen_id uuid)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  _utf8 constant boolean := getdatabaseencoding() = 'UTF8';
  _host text;
  _now_epoch int;
  _alive boolean;
  _found uuid[];
  _got int := 0;
begin
  select me.host, me.epoch into _host, _now_epoch
  from pgqueue.workers as me where me.id = _worker and me.expires_at > clock_timestamp();
  _alive := found;
  if _alive and _now_epoch = _epoch
    and not exists (select from pgqueue.queues as q
                    where q.name = _queue and (q.limited or pgqueue.is_paused(q.paused, q.paused_until)))
    and not exists (select from pgqueue.limits as l where l.scope = 'task' and l.name = _target)
  then
    with seen as materialized (
      select j.id, j.run_at, row_number() over (order by j.run_at, j.id) as n,
             j.worker is null and j.target = _target and greatest(j.attempt, 0) = _attempt - 1
               and greatest(j.crashes, 0) = 0
               and case when j.max_attempts > 0 then j.max_attempts else _most_attempts end > _attempt
               and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds') as fits,
             j.ctid
      from pgqueue.jobs as j
      where j.lane is null and j.queue = _queue and j.priority = _priority
        and j.run_at <= now() and (j.run_at, j.id) > (_after, _after_id)
      order by j.run_at, j.id
      limit _visits
    ), fitting as (
      select seen.id, sum(size.bytes) over (order by seen.n rows unbounded preceding) - size.bytes as before
      from (select * from seen as each where each.fits order by each.n limit _limit) as seen
      cross join lateral (
        select case when pg_column_compression(j.args) is null then pg_column_size(j.args)
                    else octet_length(j.args::text) end + coalesce(pg_column_size(j.labels), 0) as bytes
        from pgqueue.jobs as j where j.ctid = seen.ctid) as size
    )
    select (select array_agg(fitting.id) from fitting where fitting.before < _most_bytes), last.run_at, last.id
    into _found, seen_at, seen_id
    from (select seen.run_at, seen.id from seen order by seen.n desc limit 1) as last;
  end if;

  if _found is not null then
    return query
    with taken as (
      update pgqueue.jobs as job
      set worker = _worker, claim = least(job.claim, 2147483646) + 1,
          attempt = least(greatest(job.attempt, 0), 32766) + 1, started_at = now(), avoid_host = null,
          unique_key = case when job.start_key is null then job.unique_key end
      where job.ctid = any (array(
        select due.ctid
        from (select named.id from unnest(_found) as named (id) order by named.id) as named
        cross join lateral (
          select j.ctid from pgqueue.jobs as j
          where j.id = named.id and j.worker is null and j.lane is null and j.run_at <= now()
          for no key update skip locked) as due))
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
           taken.run_at, taken.expires_at <= now(), null::boolean, null::uuid[], null::timestamptz,
           null::timestamptz, null::uuid
    from taken
    order by taken.priority desc, taken.run_at, taken.id;
    get diagnostics _got = row_count;
    if _got > 0 then
      perform pgqueue.keep_lease(_worker, _epoch);
    end if;
  end if;

  run_at := now();
  alive := _alive;
  return next;
end $$;
