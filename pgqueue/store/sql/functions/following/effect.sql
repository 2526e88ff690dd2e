-- (nothing) -> scheduled | ready for an effect of a job that has just succeeded: a job of its own, told as JSON.
-- What becomes of all effects when they are due is decided here. O(log n).
create or replace function pgqueue.effect(_parent uuid, _new json, _max_depth int, _max_children int) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select pgqueue.bring(_parent, _new, 'effect', _max_depth, _max_children)
$$;
