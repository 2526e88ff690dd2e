-- The roles that see the jobs of all tenants, besides the owner. Reads the catalogue; O(1).
create or replace function pgqueue.who_sees_all() returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(r.rolname::text order by r.rolname), '{}')
  from pg_policy as p
  join pg_roles as r on r.oid = any (p.polroles)
  where p.polrelid = 'pgqueue.jobs'::regclass and p.polname = 'all_tenants'
$$;
