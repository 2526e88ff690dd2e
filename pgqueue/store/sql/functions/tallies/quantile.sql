-- Seconds below which this share of the durations lies that are counted in buckets; null if there are none.
-- Within its bucket as if they lay, on a logarithmic scale, ever denser towards the fuller one of its neighbours: off by
-- less than a bucket's width, a factor of 2.3, and by a few percent as a rule.
-- As quantile() in pgqueue/buckets.py. O(buckets), no table.
create or replace function pgqueue.quantile(_counts bigint[], _share float8) returns float8
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  _bounds constant float8[] := pgqueue.bounds_of_buckets();
  _total bigint := 0;
  _below bigint := 0;
  _count bigint;
  _low float8;
  _left float8;
  _right float8;
  _part float8;
begin
  foreach _count in array coalesce(_counts, '{}') loop
    _total := _total + coalesce(_count, 0);
  end loop;
  if _total = 0 then
    return null;
  end if;
  for n in 1..cardinality(_counts) loop
    _count := coalesce(_counts[n], 0);
    if _count > 0 and _below + _count >= _share * _total then
      if n > cardinality(_bounds) then
        return _bounds[cardinality(_bounds)];
      end if;
      _low := case when n = 1 then _bounds[1] / 2 else _bounds[n - 1] end;
      _left := sqrt(case when n = 1 then 0 else coalesce(_counts[n - 1], 0) end::float8 * _count);
      _right := sqrt(coalesce(_counts[n + 1], 0)::float8 * _count);
      _part := greatest(0, (_share * _total - _below) / _count);
      if _left <> _right then
        _part := (sqrt(_left * _left + (_right * _right - _left * _left) * _part) - _left) / (_right - _left);
      end if;
      return _low * power(_bounds[n] / _low, _part);
    end if;
    _below := _below + _count;
  end loop;
  return _bounds[cardinality(_bounds)];
end $$;
