-- In how many seconds a scheduler has to look at a schedule again: 0 or less if it is time, null if there is nothing.
-- Reads one entry of schedules_due; O(log n).
create or replace function pgqueue.next_tick() returns float8
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
begin
  return (
    select extract(epoch from first.next_at - clock_timestamp())
    from (
      select s.next_at from pgqueue.schedules as s
      where s.paused_by is null and s.next_at is not null
      order by s.next_at
      limit 1) as first);
end $$;
