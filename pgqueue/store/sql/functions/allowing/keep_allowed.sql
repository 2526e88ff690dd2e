-- A job comes, or a job that waits gets another target or queue: it is refused where its queue does not take its target.
-- Called by the triggers jobs_allowed, jobs_still_allowed and waiting_allowed, which are there while any queue says what
-- it takes (arrange_allowing.sql). Of jobs that wait at a gate the queue may not be known yet: it is that of the route.
-- O(log n + patterns).
create or replace function pgqueue.keep_allowed() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.refuse_target(coalesce(new.queue, pgqueue.route(new.target)), new.target);
  return null;
end $$;
