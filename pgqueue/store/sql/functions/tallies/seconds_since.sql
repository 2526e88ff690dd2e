-- How long ago the id of a job was made, if it is a UUID of version 7. No table. Bound to pg_catalog when it is created.
create or replace function pgqueue.seconds_since(_id uuid) returns float8
language sql volatile parallel safe
return
  extract(epoch from clock_timestamp())::float8
  - ('x' || lpad(left(replace(_id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0;
