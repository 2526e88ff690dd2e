-- A scope of the ledger as it is stored for who enters a key: for the tenant of the session, else for that of the job; so
-- what one tenant has done is nobody else's. Walks what tenant_of_job() walks; O(log n).
create or replace function pgqueue.effect_scope(_scope text, _job uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _job is null or coalesce(current_setting('pgqueue.tenant', true), '') <> '' then
    return pgqueue.tenant_key(_scope);
  end if;
  return coalesce(pgqueue.tenant_of_job(_job) || '::', '') || _scope;
end $$;
