-- Refuse what a limit of a role does not allow: `_what` is the limit's column, `_after` in how many seconds it may be tried
-- again, null where that does not help. O(1).
create or replace function pgqueue.refuse_limit(_role text, _what text, _said text, _hint text, _after float8)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '%', case when _role = '*' then 'no role may ' else 'the role ' || quote_literal(_role) || ' may not ' end || _said
    using errcode = 'configuration_limit_exceeded', schema = 'pgqueue', table = 'role_limits',
          constraint = 'role_limits', hint = _hint,
          detail = json_build_object('role', _role, 'limit', _what, 'retry_after', _after)::text;
end $$;
