-- Where owners and rights are not what they are to be, as the statements that put it right, in the order of `step`:
-- nothing if all is as it should be, or if there are no roles. What is to be is told as JSON, of each function {name,
-- roles, definer}, of each right on a relation {name, role, privilege, columns, but} (pgqueue/store/rights). The admin has
-- all rights on data where nothing else is said of it. Reads the catalogue.
create or replace function pgqueue.rights_amiss(_functions json, _relations json)
returns table (step int, cure text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with part as materialized (
    select p.part, p.role, r.oid from pgqueue.roles as p join pg_roles as r on r.rolname = p.role
  ), migrator as (
    select part.role, part.oid from part where part.part = 'migrator'
  ), f as materialized (
    select p.oid, p.oid::regprocedure as name, p.proowner, p.prosecdef, p.proconfig, told.roles, told.definer,
           coalesce(p.proacl, acldefault('f', p.proowner)) as acl
    from pg_proc as p
    left join json_to_recordset(_functions) as told (name text, roles text[], definer boolean) on told.name = p.proname
    where p.pronamespace = 'pgqueue'::regnamespace
  ), may_call as materialized (
    select f.oid, f.name, given.grantee from f cross join lateral aclexplode(f.acl) as given where given.grantee <> f.proowner
  ), to_call as materialized (
    select f.oid, f.name, part.oid as grantee
    from f join part on part.part = any (f.roles)
      or part.part = 'admin' and coalesce(not f.roles && '{owner,trigger}', false)
  ), c as materialized (
    select c.oid, c.oid::regclass as name, c.relname, c.relkind, c.relowner,
           case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end as kind,
           coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)) as acl
    from pg_class as c
    where c.relnamespace = 'pgqueue'::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
  ), told as materialized (
    select c.oid, c.name, c.kind, part.oid as grantee, said.privilege, said.columns, said.but
    from json_to_recordset(_relations) as said (name text, role text, privilege text, columns text[], but text[])
    join c on c.relname = said.name
    join part on part.part = said.role
    union all
    select c.oid, c.name, c.kind, part.oid, each.privilege, null, null
    from c join part on part.part = 'admin'
    join (values ('table', 'SELECT'), ('table', 'INSERT'), ('table', 'UPDATE'), ('table', 'DELETE'), ('view', 'SELECT'),
                 ('sequence', 'USAGE'), ('sequence', 'SELECT')) as each (kind, privilege) on each.kind = c.kind
    where exists (select from json_to_recordset(_relations) as said (name text) where said.name = c.relname)
      and not exists (select from json_to_recordset(_relations) as said (name text, role text)
                      where said.name = c.relname and said.role = 'admin')
  ), to_use as materialized (
    select told.oid, told.name, told.kind, told.grantee, upper(told.privilege) as privilege, null::name as attname
    from told where told.columns is null and told.but is null
    union
    select told.oid, told.name, told.kind, told.grantee, upper(told.privilege), a.attname
    from told
    join pg_attribute as a on a.attrelid = told.oid and a.attnum > 0 and not a.attisdropped
    where a.attname = any (told.columns) or a.attname <> all (told.but)
  ), may_use as materialized (
    select c.oid, c.name, c.kind, given.grantee, given.privilege_type as privilege, null::name as attname
    from c cross join lateral aclexplode(c.acl) as given
    where given.grantee <> c.relowner
    union all
    select c.oid, c.name, c.kind, given.grantee, given.privilege_type, a.attname
    from c
    join pg_attribute as a on a.attrelid = c.oid and not a.attisdropped
    cross join lateral aclexplode(a.attacl) as given
    where given.grantee <> c.relowner
  ), lacking as (
    select use.name, use.kind, use.grantee, use.privilege || coalesce(
             ' (' || string_agg(quote_ident(use.attname), ', ' order by use.attname) || ')', '') as privilege
    from to_use as use
    where not exists (
      select from may_use as may
      where may.oid = use.oid and may.grantee = use.grantee and may.privilege = use.privilege
        and may.attname is not distinct from use.attname)
    group by use.name, use.kind, use.grantee, use.privilege
  ), beyond as (
    select may.name, may.kind, may.grantee, may.privilege || coalesce(
             ' (' || string_agg(quote_ident(may.attname), ', ' order by may.attname) || ')', '') as privilege
    from may_use as may
    where (may.grantee = 0 or may.grantee in (select part.oid from part)) and not exists (
      select from to_use as use
      where use.oid = may.oid and use.grantee = may.grantee and use.privilege = may.privilege
        and use.attname is not distinct from may.attname)
    group by may.name, may.kind, may.grantee, may.privilege
  )
  select 1, format('alter schema pgqueue owner to %I', migrator.role)
  from migrator join pg_namespace as n on n.nspname = 'pgqueue' and n.nspowner <> migrator.oid
  union all
  select 2, format('alter %s %s owner to %I', c.kind, c.name, migrator.role)
  from migrator join c on c.relowner <> migrator.oid
  -- A sequence of a column goes with its table.
  where not exists (
    select from pg_depend as d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and c.kind = 'sequence'
      and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i'))
  union all
  select 2, format('alter function %s owner to %I', f.name, migrator.role)
  from migrator join f on f.proowner <> migrator.oid
  union all
  select 2, format('alter type %s owner to %I', t.oid::regclass, migrator.role)
  from migrator join pg_class as t on t.relnamespace = 'pgqueue'::regnamespace and t.relkind = 'c' and t.relowner <> migrator.oid
  union all
  select 3, format('revoke execute on function %s from %s', may.name,
                   case may.grantee when 0 then 'public' else may.grantee::regrole::text end)
  from may_call as may
  where exists (select from part) and (may.grantee = 0 or may.grantee in (select part.oid from part))
    and not exists (select from to_call where to_call.oid = may.oid and to_call.grantee = may.grantee)
  union all
  select 3, format('revoke %s on %s %s from %s', string_agg(beyond.privilege, ', ' order by beyond.privilege),
                   replace(beyond.kind, 'view', 'table'), beyond.name,
                   case beyond.grantee when 0 then 'public' else beyond.grantee::regrole::text end)
  from beyond
  where exists (select from part)
  group by beyond.name, beyond.kind, beyond.grantee
  union all
  select 4, format('alter function %s security definer set search_path = pg_catalog, pgqueue, pg_temp', f.name)
  from f
  where exists (select from part) and f.definer
    and not (f.prosecdef and coalesce('search_path=pg_catalog, pgqueue, pg_temp' = any (f.proconfig), false))
  union all
  select 4, format('alter function %s security invoker', f.name)
  from f where exists (select from part) and f.prosecdef and not f.definer
  union all
  select 5, format('grant usage on schema pgqueue to %I', part.role)
  from part where part.part <> 'migrator' and not exists (
    select from pg_namespace as n cross join lateral aclexplode(n.nspacl) as given
    where n.nspname = 'pgqueue' and given.grantee = part.oid and given.privilege_type = 'USAGE')
  union all
  select 5, format('revoke create on schema pgqueue from %s', case given.grantee when 0 then 'public'
                                                              else given.grantee::regrole::text end)
  from pg_namespace as n cross join lateral aclexplode(n.nspacl) as given
  where n.nspname = 'pgqueue' and given.privilege_type = 'CREATE' and given.grantee <> n.nspowner
    and exists (select from part) and (given.grantee = 0 or given.grantee in (select part.oid from part))
  union all
  select 6, format('grant execute on function %s to %s', to_call.name, string_agg(to_call.grantee::regrole::text, ', '
                                                                          order by to_call.grantee::regrole::text))
  from to_call
  where not exists (select from may_call as may where may.oid = to_call.oid and may.grantee = to_call.grantee)
  group by to_call.name
  union all
  select 6, format('grant %s on %s %s to %s', string_agg(lacking.privilege, ', ' order by lacking.privilege),
                   replace(lacking.kind, 'view', 'table'), lacking.name, lacking.grantee::regrole)
  from lacking
  group by lacking.name, lacking.kind, lacking.grantee
  union all
  -- Of what is to come nobody may call a function whom nobody has told so, and the admin may see and do all.
  select 7, format('alter default privileges for role %I revoke execute on functions from public', migrator.role)
  from migrator where not exists (
    select from pg_default_acl as d
    where d.defaclrole = migrator.oid and d.defaclnamespace = 0 and d.defaclobjtype = 'f'
      and not exists (select from aclexplode(d.defaclacl) as given where given.grantee = 0))
  union all
  select 7, format('alter default privileges for role %I in schema pgqueue grant %s to %I', migrator.role, each.rights,
                   admin.role)
  from migrator
  join part as admin on admin.part = 'admin'
  cross join (values ('r'::"char", 'select, insert, update, delete on tables'), ('f', 'execute on functions'))
    as each (kind, rights)
  where not exists (
    select from pg_default_acl as d cross join lateral aclexplode(d.defaclacl) as given
    where d.defaclrole = migrator.oid and d.defaclnamespace = 'pgqueue'::regnamespace and d.defaclobjtype = each.kind
      and given.grantee = admin.oid)
  union all
  -- As is_bounded.sql: written out, because each statement that inserts would write it out anew.
  select 8, format('create trigger %1$s_checked after insert or update of target, args, queue, follow_ups on pgqueue.%1$s'
                   ' for each row when (not has_table_privilege(case current_setting(''role'') when ''none'' then'
                   ' session_user else current_setting(''role'')::name end, ''pgqueue.jobs''::regclass, ''delete''))'
                   ' execute function pgqueue.check_new()', each)
  from unnest('{jobs,waiting}'::text[]) as each
  where exists (select from part) and not exists (
    select from pg_trigger as t
    where t.tgrelid = to_regclass('pgqueue.' || each) and t.tgname = each || '_checked' and t.tgenabled <> 'D')
$$;
