-- What a changed or removed limit means for jobs that wait and run: nothing yet.
create or replace function pgqueue.limit_changed(_scope text, _name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  return;
end $$;
