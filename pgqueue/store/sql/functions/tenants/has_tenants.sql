-- Whether tenants are on (set_tenants.sql). Reads the catalogue; O(1).
create or replace function pgqueue.has_tenants() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_policy as p where p.polrelid = 'pgqueue.jobs'::regclass and p.polname = 'own_tenant')
$$;
