-- Whether who asks sees the jobs of all tenants: because tenants are off, or as tenant_now() says. Reads the catalogue.
create or replace function pgqueue.sees_all_tenants() returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return not pgqueue.has_tenants() or pgqueue.tenant_now() is null;
exception when insufficient_privilege then
  return false;
end $$;
