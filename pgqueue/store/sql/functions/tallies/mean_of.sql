-- About the mean of durations that were counted in buckets, seconds: those of a bucket are taken for the middle of it on its
-- logarithmic scale. Null if there are none. Off by less than a factor of 1.5. O(buckets), no table.
create or replace function pgqueue.mean_of(counts bigint[]) returns float8
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sum(told.n * sqrt(coalesce(bounds.at[told.number - 1], bounds.at[1] / 2) * coalesce(bounds.at[told.number], bounds.at[24])))
         / nullif(sum(told.n), 0)
  from unnest(counts) with ordinality as told (n, number)
  cross join (select pgqueue.bounds_of_buckets() as at) as bounds
$$;
