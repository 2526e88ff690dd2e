-- What a scheduler decided about some schedules: their ticks, to be fired or recorded as skipped, and when each is due
-- next. `_of` is to which schedule, by number, a tick belongs; both are in order.
-- Guarded by `next_at`: of all who decide about the same ticks, one finds it as expected. One that another has in hand
-- is passed by. A tick that is still to come by this clock waits. A unique key that an open transaction has is not waited
-- for longer than lock_timeout: 55P03, and nothing is done.
-- Answers of how many schedules something was decided, and how many jobs were enqueued, all in one transaction.
-- Walks schedules_pkey and what enqueue_tick walks; O(ticks log n).
create or replace function pgqueue.fire(
  _names text[], _expected timestamptz[], _nexts timestamptz[], _tzdata text, _of int[], _ticks timestamptz[],
  _whys text[], out decided int, out fired int)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
set lock_timeout = '1s'
as $$
declare
  _s pgqueue.schedules;
  _is_there boolean;
  _m int := 1;
  _next timestamptz;
  _tick record;
begin
  decided := 0;
  fired := 0;
  for _n in 1..cardinality(_names) loop
    select s.* into _s
    from pgqueue.schedules as s
    where s.name = _names[_n] and s.next_at = _expected[_n] and s.paused_by is null
      and s.next_at <= clock_timestamp()
    for no key update skip locked;
    _is_there := found;
    _next := _nexts[_n];
    while _of[_m] = _n loop
      if _is_there and _ticks[_m] > clock_timestamp() then
        _next := least(_next, _ticks[_m]);
      elsif _is_there then
        select tick.job_id, tick.did into _tick from pgqueue.enqueue_tick(_s, _ticks[_m], _whys[_m]) as tick;
        if _tick.job_id is not null then
          _s.last_job := _tick.job_id;
          fired := fired + (_tick.did not in ('kept', 'replaced'))::int;
        end if;
        _s.last_at := _ticks[_m];
      end if;
      _m := _m + 1;
    end loop;
    if _is_there then
      decided := decided + 1;
      update pgqueue.schedules as s
      set next_at = _next, last_at = _s.last_at, last_job = _s.last_job, tzdata = _tzdata, fault = null
      where s.name = _names[_n];
    end if;
  end loop;
end $$;
