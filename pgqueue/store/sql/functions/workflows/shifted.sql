-- Numbers of gates or nodes, each so much further from zero. O(n).
create or replace function pgqueue.shifted(_numbers int[], _by int) returns int[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when _by = 0 or _numbers is null then _numbers
              else array(
                select sign(number)::int * (abs(number) + _by)
                from unnest(_numbers) with ordinality as told (number, n) order by told.n) end;
end $$;
