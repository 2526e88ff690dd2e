-- After tables or views were made anew: tenants are as they were, on or off. For the owner of the schema. O(tables).
create or replace function pgqueue.keep_tenants() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if pgqueue.has_tenants() then
    perform pgqueue.set_tenants(true, pgqueue.who_sees_all());
  end if;
end $$;
