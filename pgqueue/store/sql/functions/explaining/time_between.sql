-- How long it is from one moment to another, in its largest fitting unit: `41 min`. Moments that never come are far off.
-- O(1), no table.
create or replace function pgqueue.time_between(_from timestamptz, _to timestamptz) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when length.s is null then 'ever'
              when length.s >= 172800 then round(length.s / 86400) || ' d'
              when length.s >= 7200 then round(length.s / 3600) || ' h'
              when length.s >= 120 then round(length.s / 60) || ' min'
              when length.s >= 10 then round(length.s) || ' s'
              else round(length.s, 1) || ' s' end
  from (select case when isfinite(_from) and isfinite(_to) then abs(extract(epoch from _to - _from)) end) as length (s)
$$;
