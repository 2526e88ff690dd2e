-- Have what is enqueued looked at by triggers (keep_role_limits.sql) as long as any role has a limit, and no longer; and a
-- sequence for a role that has a rate, which says up to when that is used up (take_rate.sql).
-- Locks `jobs` against writers where the first limit comes, against all where the last goes, to COMMIT: waits a second
-- for that, and is refused (55P03) where somebody has written, or reads, for longer. For the owner of `jobs`. O(1).
create or replace function pgqueue.arrange_role_limits(_role text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set lock_timeout = '1s'
as $$
declare
  _rate constant text := 'rate_' || md5(_role);
  _owner constant name := pg_get_userbyid((select c.relowner from pg_class as c where c.oid = 'pgqueue.jobs'::regclass));
  _has_triggers constant boolean := exists (
    select from pg_trigger as t where t.tgrelid = 'pgqueue.jobs'::regclass and t.tgname = 'jobs_role_limits');
begin
  if exists (select from pgqueue.role_limits as l where l.role = _role and l.jobs is not null) then
    if to_regclass('pgqueue.' || _rate) is null then
      execute format('create sequence pgqueue.%I minvalue 1 start 1', _rate);
      execute format('alter sequence pgqueue.%I owner to %I', _rate, _owner);
    end if;
  elsif to_regclass('pgqueue.' || _rate) is not null then
    execute format('drop sequence pgqueue.%I', _rate);
  end if;
  if not exists (select from pgqueue.role_limits) and _has_triggers then
    drop trigger jobs_role_limits on pgqueue.jobs;
    drop trigger jobs_larger on pgqueue.jobs;
    drop trigger waiting_role_limits on pgqueue.waiting;
  elsif exists (select from pgqueue.role_limits) and not _has_triggers then
    create trigger jobs_role_limits after insert on pgqueue.jobs referencing new table as new_jobs
      for each statement execute function pgqueue.keep_role_limits();
    create trigger waiting_role_limits after insert on pgqueue.waiting referencing new table as new_jobs
      for each statement execute function pgqueue.keep_role_limits();
    create trigger jobs_larger after update of args, labels, headers, follow_ups on pgqueue.jobs
      for each row when (new.worker is null) execute function pgqueue.keep_max_args();
  end if;
exception when lock_not_available then
  perform pgqueue.refuse_busy();
end $$;
