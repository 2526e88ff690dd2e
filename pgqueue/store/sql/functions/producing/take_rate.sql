-- A part of keep_role_limits: so many jobs of a rate are taken, all of them or none, or they are refused.
-- A bucket: `burst` jobs fit in (without one, as many as the rate has), and it fills up at the rate. The sequence of the
-- role holds the moment, in nanoseconds, at which all will have come again; so what was taken stays taken if the
-- transaction is rolled back, and nobody waits for another's COMMIT: the lock is let go of below, by undoing its block.
-- O(1).
create or replace function pgqueue.take_rate(_rule pgqueue.role_limits, _count bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _bucket constant regclass := ('pgqueue.rate_' || md5(_rule.role))::regclass;
  _each constant numeric := _rule.period::numeric * 1e9 / _rule.jobs;
  _fits constant int := coalesce(_rule.burst, _rule.jobs);
  _now numeric;
  _again numeric;
  _late numeric;
begin
  begin
    perform pg_advisory_xact_lock(7716, hashtext(_rule.role));
    _again := coalesce(pg_sequence_last_value(_bucket), 0);
    _now := extract(epoch from clock_timestamp()) * 1e9;
    -- A clock that was set back fills no bucket, and keeps nobody waiting for longer than an empty one.
    _again := greatest(_now, least(_again, _now + _fits * _each)) + _count * _each;
    _late := _again - _now - _fits * _each;
    if _late <= 0 then
      perform setval(_bucket, _again::bigint);
    end if;
    raise exception 'let go of the lock' using errcode = 'PGQ01';
  exception when sqlstate 'PGQ01' then
    null;
  end;
  if _late > 0 then
    perform pgqueue.refuse_limit(
      _rule.role, 'rate',
      format('enqueue %s jobs now: %s in %s s are allowed, %s at once', _count, _rule.jobs, _rule.period, _fits),
      case when _count > _fits then format('enqueue at most %s at once', _fits)
           else format('enqueue again in %s s', trim_scale(ceil(_late / 1e7) / 100)) end,
      case when _count <= _fits then trim_scale(ceil(_late / 1e7) / 100) end);
  end if;
end $$;
