-- What a scheduler decided about some schedules: their ticks, to be fired or recorded as skipped, and when each is due
-- next. `_of` is to which schedule, by number, a tick belongs; both are in order.
-- Guarded by `next_at`: of all who decide about the same ticks, one finds it as expected. One that another has in hand
-- is passed by. A tick that is still to come by this clock waits. A unique key that an open transaction has is not waited
-- for longer than lock_timeout: 55P03, and nothing is done.
-- Most are written down all at once (fire_together.sql), those that ask for other jobs one by one.
-- Answers of how many schedules something was decided, and how many jobs were enqueued, all in one transaction.
-- Walks schedules_pkey and what enqueue_tick walks; O(ticks log n).
create or replace function pgqueue.fire(
  _names text[], _expected timestamptz[], _nexts timestamptz[], _tzdata text, _of int[], _ticks timestamptz[],
  _whys text[], out decided int, out fired int)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set lock_timeout = '1s'
as $$
declare
  _now constant timestamptz := clock_timestamp();
  -- By number: whether its ticks ask for no other job, and their jobs for no cost and no tenant; null if it is passed by.
  _plain boolean[];
  _s pgqueue.schedules;
  _m int := 1;
  _next timestamptz;
  _tick record;
begin
  select array_agg(held.plain order by told.n) into _plain
  from unnest(_names, _expected) with ordinality as told (name, expected, n)
  left join lateral (
    select s.unique_key is null and s.cost is null and s.overlap = 'allow' and s.tenant is null as plain
    from pgqueue.schedules as s
    -- By name: as conditions of schedules_due the rest would walk, for each, all that are due.
    where s.name = told.name and (s.next_at = told.expected and s.next_at <= _now) is true
      and coalesce(s.paused_by, '') = ''
    for no key update skip locked) as held on true;
  decided := cardinality(array_remove(_plain, null));
  fired := pgqueue.fire_together(_plain, _names, _nexts, _tzdata, _of, _ticks, _whys, _now);
  for _n in 1..cardinality(_names) loop
    continue when _plain[_n] is distinct from false;
    select s.* into _s from pgqueue.schedules as s where s.name = _names[_n];
    _next := _nexts[_n];
    while _of[_m] < _n loop
      _m := _m + 1;
    end loop;
    while _of[_m] = _n loop
      if _ticks[_m] > _now then
        _next := least(_next, _ticks[_m]);
      else
        select tick.job_id, tick.did into _tick from pgqueue.enqueue_tick(_s, _ticks[_m], _whys[_m]) as tick;
        if _tick.job_id is not null then
          _s.last_job := _tick.job_id;
          fired := fired + (_tick.did not in ('kept', 'replaced'))::int;
        end if;
        _s.last_at := _ticks[_m];
      end if;
      _m := _m + 1;
    end loop;
    update pgqueue.schedules as s
    set next_at = _next, last_at = _s.last_at, last_job = _s.last_job, tzdata = _tzdata, fault = null
    where s.name = _names[_n];
  end loop;
end $$;
