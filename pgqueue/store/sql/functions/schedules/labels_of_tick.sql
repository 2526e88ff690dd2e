-- The labels of a tick's job: those of its schedule, and of which tick it is. Reads no table; O(1).
create or replace function pgqueue.labels_of_tick(_labels jsonb, _schedule text, _at timestamptz) returns jsonb
language sql stable parallel safe
return coalesce(_labels, '{}') || jsonb_build_object(
  'schedule', _schedule, 'scheduled_for', to_char(_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
