-- Give a table the rights, on it and on its columns, and the comment that another one has; what default privileges gave it
-- beyond those goes. A part of end_copy().
create or replace function pgqueue.take_rights(_from regclass, _to regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _text text;
begin
  for _text in
    select distinct format('revoke all on %s from %s', _to, case given.grantee when 0 then 'public' else quote_ident(
      pg_get_userbyid(given.grantee)) end)
    from pg_class as c cross join lateral aclexplode(c.relacl) as given
    where c.oid = _to and given.grantee <> c.relowner
  loop
    execute _text;
  end loop;
  for _text in
    select format('grant %s%s on %s to %s%s', given.privilege_type, given.name, _to,
                  case given.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(given.grantee)) end,
                  case when given.is_grantable then ' with grant option' end)
    from (
      select '' as name, acl.* from pg_class as c cross join lateral aclexplode(c.relacl) as acl
      where c.oid = _from and acl.grantee <> c.relowner
      union all
      select format(' (%I)', a.attname), acl.*
      from pg_attribute as a cross join lateral aclexplode(a.attacl) as acl
      where a.attrelid = _from and not a.attisdropped) as given
  loop
    execute _text;
  end loop;
  execute format('comment on table %s is %L', _to, obj_description(_from, 'pg_class'));
end $$;
