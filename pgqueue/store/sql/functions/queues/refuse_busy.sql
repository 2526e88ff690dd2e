-- Say that a trigger of `jobs` could not be made or dropped now: 55P03. O(1).
create or replace function pgqueue.refuse_busy() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'the table of jobs is in use by a transaction that has been open for a second'
    using errcode = 'lock_not_available', schema = 'pgqueue', table = 'jobs',
          hint = 'say it again; if it stays so, see who has written to pgqueue.jobs and not committed';
end $$;
