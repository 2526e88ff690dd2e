-- A scheduler says why it cannot decide about a schedule, if that still stands as it did. It is decided about when that
-- has been mended, or by another. Walks schedules_pkey; O(log n).
create or replace function pgqueue.note_fault(_name text, _expected timestamptz, _fault text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update pgqueue.schedules as s set fault = left(_fault, 1000)
  where s.name = _name and s.next_at = _expected and s.fault is distinct from left(_fault, 1000);
end $$;
