-- What a new rule means for jobs that run and wait: later.
create or replace function pgqueue.adopt_limits() returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update pgqueue.limits as l set adopted = true where not l.adopted;
  return true;
end $$;
