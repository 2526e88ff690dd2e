-- The jobs have ended, or are wanted again: nothing of theirs is left to be cancelled.
-- Waits for nobody: a row that somebody holds is left to the reaper. O(1) while nothing is cancelled.
create or replace function pgqueue.forget_cancellations(_ids uuid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  if exists (select from pgqueue.cancellations) then
    delete from pgqueue.cancellations as unwanted
    where unwanted.job_id = any (array(
      select c.job_id from pgqueue.cancellations as c
      where c.job_id = any (_ids)
      for update skip locked));
  end if;
end $$;
