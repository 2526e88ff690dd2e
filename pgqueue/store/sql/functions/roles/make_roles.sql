-- Make the seven roles of pgqueue, as far as they are not there, and give all that is in the schema to the migrator. None
-- can log in: logins are made members. Who owned the schema becomes a member of the migrator, and loses nothing.
-- Functions are taken from all others who may call them by name, and these are answered: from now on some of them run with
-- the rights of the owner. Raises if there are roles under another prefix, or one of these is a superuser. What each role
-- may do: give_rights.sql.
create or replace function pgqueue.make_roles(_prefix text) returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _part text;
  _role text;
  _found record;
  _owner constant name := (select pg_get_userbyid(n.nspowner) from pg_namespace as n where n.nspname = 'pgqueue');
  _migrator constant name := _prefix || '_migrator';
  _is_superuser constant boolean := (select r.rolsuper from pg_roles as r where r.rolname = current_user);
  _lent boolean := false;
  _first constant boolean := not exists (select from pgqueue.roles);
  _bereft text[] := '{}';
begin
  if _prefix !~ '^[a-z_][a-z0-9_]{0,49}$' then
    raise exception 'the prefix of roles must be up to 50 of a-z, 0-9 and _, got %', quote_literal(left(_prefix, 80))
      using errcode = 'invalid_parameter_value', hint = 'for example shop: the roles are shop_worker, shop_producer, ...';
  end if;
  select r.role into _found from pgqueue.roles as r where r.role <> _prefix || '_' || r.part limit 1;
  if found then
    raise exception 'the roles of this database are made: %', _found.role
      using errcode = 'invalid_parameter_value', hint = 'leave the prefix out, or give the one that they have';
  end if;
  foreach _part in array '{producer,worker,job,operator,reader,admin,migrator}'::text[] loop
    _role := _prefix || '_' || _part;
    select r.rolsuper or r.rolbypassrls as mighty into _found from pg_roles as r where r.rolname = _role;
    if not found then
      begin
        execute format('create role %I nologin', _role);
      exception when duplicate_object or unique_violation then
        null; -- From beside another database, at the same moment.
      end;
    elsif _found.mighty then
      raise exception 'the role % is a superuser, or passes by the security of rows', _role
        using errcode = 'invalid_parameter_value', hint = 'give another prefix, or make it an ordinary role';
    end if;
    insert into pgqueue.roles (part, role) values (_part, _role) on conflict do nothing;
  end loop;
  for _role in
    select r.rolname from pg_roles as r
    where r.rolname in (_owner, current_user) and r.rolname <> _migrator
      -- Who has made a role may give it away from PostgreSQL 16 on, and not act as it. A superuser counts as a member of
      -- every role, and migrates what belongs to those alone that it was made a member of.
      and case when r.rolsuper then not exists (
            select from pg_auth_members as m where m.member = r.oid and m.roleid = _migrator::regrole)
          else not pg_has_role(r.oid, _migrator, 'usage') end
  loop
    execute format('grant %I to %I', _migrator, _role);
  end loop;
  if _owner <> _migrator then
    -- Who is no superuser may give a schema to those alone who could make one.
    if not _is_superuser and not has_database_privilege(_migrator, current_database(), 'create') then
      execute format('grant create on database %I to %I', current_database(), _migrator);
      _lent := true;
    end if;
    execute format('alter schema pgqueue owner to %I', _migrator);
    if _lent then
      execute format('revoke create on database %I from %I', current_database(), _migrator);
    end if;
  end if;
  if _first then
    for _role in
      select distinct given.grantee::regrole::text
      from pg_proc as p cross join lateral aclexplode(p.proacl) as given
      where p.pronamespace = 'pgqueue'::regnamespace and given.grantee not in (0, p.proowner)
        and given.grantee not in (select r.oid from pg_roles as r join pgqueue.roles as made on made.role = r.rolname)
    loop
      execute format('revoke execute on all functions in schema pgqueue from %s', _role);
      _bereft := _bereft || _role::text;
    end loop;
  end if;
  return _bereft;
end $$;
