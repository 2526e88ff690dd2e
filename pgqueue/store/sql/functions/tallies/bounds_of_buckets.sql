-- The 24 bounds of the buckets of durations, seconds: the same in pgqueue/buckets.py. No table.
create or replace function pgqueue.bounds_of_buckets() returns float8[]
language sql immutable parallel safe
return array[0.001, 0.0022, 0.0049, 0.011, 0.024, 0.053, 0.12, 0.26, 0.57, 1.3, 2.8, 6.2, 14, 30, 67, 150, 330, 720,
             1600, 3500, 7800, 17000, 38000, 86400]::float8[];
