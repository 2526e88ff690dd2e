-- ready -> running, for those of the named jobs that still wait: what step() does in its second half, for when that is
-- refused and one of many is to blame. Answers as step(), with a header that says when the next of the slots is due.
-- Guarded as in step: the worker's own lease, its epoch, and its lock against the reaper and disown().
-- Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.claim_named(
  _worker bigint, _ids uuid[], _queues text[], _priorities smallint[], _epoch int)
returns table (
  id uuid, claim int, attempt int, crashes int, max_attempts int, timeout float8, store_result boolean,
  priority int, queue text, target text, args text, labels text, run_at timestamptz,
  expired boolean, alive boolean, late uuid[], next_due timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _utf8 constant boolean := getdatabaseencoding() = 'UTF8';
  _now_epoch int;
  _alive boolean;
  _got int := 0;
begin
  select me.epoch into _now_epoch
  from pgqueue.workers as me where me.id = _worker and me.expires_at > clock_timestamp();
  _alive := found;
  if _alive and _now_epoch = _epoch then
    return query
    with taken as (
      update pgqueue.jobs as job
      set worker = _worker, claim = least(job.claim, 2147483646) + 1,
          attempt = least(greatest(job.attempt, 0), 32766) + 1, started_at = now(), avoid_host = null,
          unique_key = case when job.start_key is null then job.unique_key end
      where job.ctid = any (array(
        select due.ctid
        from (select named.id from unnest(_ids) as named (id) order by named.id) as named
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
           taken.run_at, taken.expires_at <= now(), null::boolean, null::uuid[], null::timestamptz
    from taken
    order by taken.priority desc, taken.run_at, taken.id;
    get diagnostics _got = row_count;
    if _got > 0 then
      -- A limit may have come since they were named.
      perform pgqueue.account(_ids);
      perform pgqueue.keep_lease(_worker, _epoch);
    else
      next_due := pgqueue.next_due(_queues, _priorities);
    end if;
  end if;

  run_at := now();
  alive := _alive;
  return next;
end $$;
