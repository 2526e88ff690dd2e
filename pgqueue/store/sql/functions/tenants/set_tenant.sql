-- This transaction acts for a tenant, from here to its end. Raises where tenants are off, or the role may not be this one;
-- who sees all tenants may be any.
create or replace function pgqueue.set_tenant(_tenant text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if not pgqueue.is_tenant_name(_tenant) then
    raise exception 'a tenant is a name of 1 to 63 letters, digits, _ . @ or -, which begins with a letter or digit, got %',
        coalesce(quote_literal(left(_tenant, 80)), 'null')
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', hint = 'for example acme';
  elsif not pgqueue.has_tenants() then
    raise exception 'tenants are off in this database'
      using errcode = 'object_not_in_prerequisite_state', schema = 'pgqueue',
            hint = 'the owner of the schema switches them on: pgqueue tenants on';
  end if;
  perform set_config('pgqueue.tenant', _tenant, true);
  perform pgqueue.tenant_now();
end $$;
