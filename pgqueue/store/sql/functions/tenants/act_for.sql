-- Until set back, or the end of the transaction, this session acts for a tenant (null: for none): for what a worker, or
-- who sees all tenants, does in the place of one. Answers what the setting was. No table; O(1).
create or replace function pgqueue.act_for(_tenant text) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before constant text := coalesce(current_setting('pgqueue.tenant', true), '');
begin
  if coalesce(_tenant, '') <> _before then
    perform set_config('pgqueue.tenant', coalesce(_tenant, ''), true);
  end if;
  return _before;
end $$;
