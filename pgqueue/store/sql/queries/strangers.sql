-- What in the schema pgqueue, or about it, is not to be trusted by the role that migrates: what belongs to others than
-- itself, the roles that it was made a member of, and superusers; and whatever would run when the revision is written.
-- A superuser counts as a member of every role, so memberships are followed one by one. Reads the catalogue alone.
with recursive mine (oid) as (
  select r.oid from pg_roles as r where r.rolname = current_user
  union
  select m.roleid from pg_auth_members as m join mine on m.member = mine.oid
), parts (what, owner) as (
  select 'the schema pgqueue', n.nspowner from pg_namespace as n where n.nspname = 'pgqueue'
  union all
  select format('%s pgqueue.%I', case c.relkind when 'v' then 'view' else 'table' end, c.relname), c.relowner
  from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'pgqueue' and c.relkind in ('r', 'p', 'v', 'm', 'f')
  union all
  select format('function %s', p.oid::regprocedure), p.proowner
  from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace where n.nspname = 'pgqueue'
  union all
  select format('operator %s', o.oid::regoperator), o.oprowner
  from pg_operator as o join pg_namespace as n on n.oid = o.oprnamespace where n.nspname = 'pgqueue'
  union all
  select format('type %s', t.oid::regtype), t.typowner
  from pg_type as t join pg_namespace as n on n.oid = t.typnamespace
  where n.nspname = 'pgqueue' and t.typrelid = 0 and t.typelem = 0
)
(select format('%s belongs to %s', parts.what, pg_get_userbyid(parts.owner))
 from parts
 where parts.owner not in (select mine.oid from mine)
   and parts.owner not in (select r.oid from pg_roles as r where r.rolsuper))
union all
(select format('there is a trigger %I on pgqueue.alembic_version', t.tgname)
 from pg_trigger as t
 where t.tgrelid = to_regclass('pgqueue.alembic_version') and not t.tgisinternal)
union all
(select format('there is a rule %I on pgqueue.alembic_version', r.rulename)
 from pg_rewrite as r where r.ev_class = to_regclass('pgqueue.alembic_version'))
union all
(select format('there is a policy %I on pgqueue.alembic_version', p.polname)
 from pg_policy as p where p.polrelid = to_regclass('pgqueue.alembic_version'))
union all
(select format('%s was there before pgqueue', parts.what)
 from parts
 where parts.what <> 'the schema pgqueue' and to_regclass('pgqueue.alembic_version') is null)
limit 3
