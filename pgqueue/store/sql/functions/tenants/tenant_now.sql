-- For which tenant this session acts: that of the setting pgqueue.tenant, if its role may be it (tenant_roles); '' for none,
-- null for who sees all: the owner, and roles that were named to (set_tenants.sql). Raises if the role may not be the one it
-- says, or is bound to tenants and says none. Policies ask it once a statement. It looks at who is logged in, or was named
-- by SET ROLE, not at whose function asks. With the rights of its owner, for who may not read tenant_roles.
-- Walks tenant_roles; O(roles bound).
create or replace function pgqueue.tenant_now() returns text
language plpgsql stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _role constant name := pgqueue.acting_role();
  _tenant constant text := coalesce(current_setting('pgqueue.tenant', true), '');
  _may text[];
begin
  if exists (
    select from pg_class as c
    where c.oid = 'pgqueue.jobs'::regclass and (pg_has_role(_role, c.relowner, 'usage') or exists (
      select from pg_policy as p cross join lateral unnest(p.polroles) as named (id)
      where p.polrelid = c.oid and p.polname = 'all_tenants' and pg_has_role(_role, named.id, 'usage'))))
  then
    return null;
  end if;
  select array_agg(distinct bound.tenant order by bound.tenant) into _may
  from pgqueue.tenant_roles as bound
  join pg_roles as r on r.rolname = bound.role
  where pg_has_role(_role, r.oid, 'usage');
  if _tenant = any (_may) or '*' = any (_may) and (_tenant = '' or pgqueue.is_tenant_name(_tenant)) then
    return _tenant;
  elsif _tenant <> '' then
    raise exception 'role % may not act for the tenant %', _role, quote_literal(left(_tenant, 80))
      using errcode = 'insufficient_privilege', schema = 'pgqueue', table = 'tenant_roles',
            hint = 'the owner of the schema lets it: pgqueue tenants bind ' || _role || ' TENANT';
  elsif _may is not null then
    raise exception 'role % acts for a tenant, and this session says for none', _role
      using errcode = 'insufficient_privilege', schema = 'pgqueue', table = 'tenant_roles',
            hint = format('set pgqueue.tenant = %L, or give --tenant', _may[1]);
  end if;
  return '';
end $$;
