-- waiting -> cancelled, for those of the jobs that were to be cancelled while they ran: in the statement that gave them
-- back, so that nobody claims them in between. O(1) while nothing is cancelled.
create or replace function pgqueue.call_off(_ids uuid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  if exists (select from pgqueue.cancellations) then
    perform pgqueue.cancel_unwanted(array(
      select c.job_id from pgqueue.cancellations as c where c.job_id = any (_ids) order by c.job_id));
  end if;
end $$;
