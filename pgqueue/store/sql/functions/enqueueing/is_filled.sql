-- Whether what new jobs do not say is filled in (fill_in.sql): an insert then says null, and else what the columns
-- default to. If so it stays so until the end of the transaction.
-- Walks the catalogue's index of triggers; O(1).
create or replace function pgqueue.is_filled() returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from pg_trigger as t where t.tgrelid = 'pgqueue.jobs'::regclass and t.tgname = 'jobs_filled')
  then
    return false;
  end if;
  -- An insert of nothing: LOCK would ask for more rights than that to insert some columns.
  insert into pgqueue.jobs (id, target) select null, null where false;
  return exists (
    select from pg_trigger as t where t.tgrelid = 'pgqueue.jobs'::regclass and t.tgname = 'jobs_filled');
end $$;
