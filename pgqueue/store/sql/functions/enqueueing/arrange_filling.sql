-- Have new jobs that say no queue or no priority filled in by a trigger (fill_in.sql), or by the columns' defaults, as
-- long as no queue has a priority of its own and there is no route: then an insert pays for neither.
-- A default would hide that nothing was said; so while there is the trigger there are no defaults.
-- Locks `jobs` against everybody for a moment, or gives up after 2 s, and no longer than that are claims kept waiting.
-- One at a time, until COMMIT. For the owner of `jobs`. O(1).
create or replace function pgqueue.arrange_filling(_wanted boolean) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
begin
  perform pg_advisory_xact_lock(7708, 0);
  if _wanted = pgqueue.is_filled() then
    return;
  end if;
  if _wanted then
    alter table pgqueue.jobs alter column queue drop default, alter column priority drop default;
    create trigger jobs_filled before insert on pgqueue.jobs
    for each row when (new.queue is null or new.priority is null)
    execute function pgqueue.fill_in();
  else
    drop trigger jobs_filled on pgqueue.jobs;
    alter table pgqueue.jobs alter column queue set default 'default', alter column priority set default 5;
  end if;
end $$;
