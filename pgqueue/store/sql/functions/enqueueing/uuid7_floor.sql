-- The smallest job id of a point in time: what is pruned by age is walked by the primary key.
-- Bound to pg_catalog when it is created.
create or replace function pgqueue.uuid7_floor(_at timestamptz) returns uuid
language sql immutable parallel safe
return (
  select (substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-7000-8000-000000000000')::uuid
  from (select lpad(to_hex((extract(epoch from _at) * 1000)::bigint), 12, '0') as hex) as milliseconds);
