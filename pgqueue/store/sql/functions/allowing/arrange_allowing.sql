-- Have new jobs looked at by triggers (keep_allowed.sql) as long as any queue says what it takes, and then only those of
-- such queues: PostgreSQL judges the condition without a call. Beyond a hundred of such queues the condition would cost
-- more than the call, and all new jobs are looked at.
-- Locks `jobs` against writers, and against all when the last such queue has gone, to COMMIT: waits a second for that,
-- and is refused (55P03) where somebody has written, or reads, for longer. For the owner of `jobs`.
-- Walks queues_allowing; O(1).
create or replace function pgqueue.arrange_allowing() returns void
language plpgsql
set search_path = pg_catalog, pg_temp set lock_timeout = '1s'
as $$
declare
  _queues constant text[] := array(
    select q.name from pgqueue.queues as q where q.allow is not null order by q.name limit 101);
  _of_them constant text := case
    when cardinality(_queues) > 100 then 'true' else format('new.queue = any (%L)', _queues) end;
begin
  if _queues <> '{}' then
    execute format(
      'create or replace trigger jobs_allowed after insert on pgqueue.jobs for each row when (%s)'
      ' execute function pgqueue.keep_allowed()', _of_them);
    -- Of those that wait: what a worker has in hand, and turns into other code, it judges itself.
    execute format(
      'create or replace trigger jobs_still_allowed after update of queue, target on pgqueue.jobs for each row'
      ' when (old.worker is null and new.worker is null'
      ' and (old.queue, old.target) is distinct from (new.queue, new.target) and %s)'
      ' execute function pgqueue.keep_allowed()', _of_them);
    execute format(
      'create or replace trigger waiting_allowed after insert on pgqueue.waiting for each row'
      ' when (new.queue is null or %s) execute function pgqueue.keep_allowed()', _of_them);
  elsif exists (select from pg_trigger as t where t.tgrelid = 'pgqueue.jobs'::regclass and t.tgname = 'jobs_allowed') then
    drop trigger jobs_allowed on pgqueue.jobs;
    drop trigger jobs_still_allowed on pgqueue.jobs;
    drop trigger waiting_allowed on pgqueue.waiting;
  end if;
exception when lock_not_available then
  perform pgqueue.refuse_busy();
end $$;
