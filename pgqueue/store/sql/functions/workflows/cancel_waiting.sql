-- waiting -> cancelled for one job that waits at a gate; false if it does not. Waits for whoever releases it.
-- Walks waiting_id; O(log n).
create or replace function pgqueue.cancel_waiting(_id uuid) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  return pgqueue.call_off_waiting(array[_id], null) > 0;
end $$;
