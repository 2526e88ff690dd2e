-- How many of these durations (seconds) are in each bucket; null if there are none. O(values), no table.
create or replace function pgqueue.histogram(_seconds float8[]) returns bigint[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select array_agg(coalesce(counted.n, 0) order by bucket.number)
    from generate_series(0, 24) as bucket (number)
    left join (
      select width_bucket(told.seconds, pgqueue.bounds_of_buckets()) as number, count(*) as n
      from unnest(_seconds) as told (seconds)
      where told.seconds is not null
      group by 1) as counted on counted.number = bucket.number
    having count(counted.n) > 0);
end $$;
