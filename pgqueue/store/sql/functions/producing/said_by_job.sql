-- How many bytes a job says: its arguments, and what else of hers a producer writes freely.
-- One expression, which the planner writes into the one that asks. O(size).
create or replace function pgqueue.said_by_job(_args json, _labels jsonb, _headers json, _follow_ups json) returns int
language sql immutable
return octet_length(_args::text) + coalesce(octet_length(_labels::text), 0) + coalesce(octet_length(_headers::text), 0)
  + coalesce(octet_length(_follow_ups::text), 0);
