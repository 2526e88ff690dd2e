-- Drop keys past their keeping time, but for those that an attempt is at; answers how many.
-- Walks effects_expiry, at most _max rows; O(_max log n).
create or replace function pgqueue.forget_effects(_max int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _count int;
begin
  delete from pgqueue.effects as e
  where e.ctid = any (array(
    select old.ctid
    from (
      select f.ctid, f.state, f.job_id, f.worker, f.claim from pgqueue.effects as f
      where f.expires_at < clock_timestamp()
      order by f.expires_at limit _max
      for update skip locked) as old
    where old.state <> 'reserved' or not pgqueue.is_running(old.job_id, old.worker, old.claim)));
  get diagnostics _count = row_count;
  return _count;
end $$;
