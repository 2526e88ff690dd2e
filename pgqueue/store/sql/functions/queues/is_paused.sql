-- Whether a queue with these settings is paused now: one that was paused for a while goes on by itself.
-- One expression, so that the planner writes it into the statement that asks (is_heard.sql). O(1), no table.
create or replace function pgqueue.is_paused(_paused boolean, _until timestamptz) returns boolean
language sql
stable
return _paused and (_until is null or _until > now());
