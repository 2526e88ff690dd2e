-- As act_for(), for the tenant of a job: what it brings along is of the same. Where it has none, or is not seen, the
-- session goes on as it is. Walks what tenant_of_job() walks; O(log n).
create or replace function pgqueue.act_for_job(_id uuid) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  return pgqueue.act_for(coalesce(pgqueue.tenant_of_job(_id), current_setting('pgqueue.tenant', true)));
end $$;
