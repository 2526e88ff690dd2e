-- An operator or an admin calls a function that acts: written into the audit, unless an act of this transaction says so
-- already, as those of the command line and of the dashboard do. Code calls the same functions as a part of its work: of
-- other roles nothing is written, nor of the owner's, nor anything where no roles were made. What is called and does nothing
-- is written, too. Looks at the newest 50 acts. Walks roles_pkey, audit_pkey; O(1).
create or replace function pgqueue.note_act(_action text, _on text default null, _ids uuid[] default null) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _role name;
begin
  if not exists (select from pgqueue.roles as r where r.part in ('operator', 'admin')) then
    return;
  end if;
  _role := pgqueue.acting_role();
  if pg_has_role(_role, (select c.relowner from pg_class as c where c.oid = 'pgqueue.audit'::regclass), 'member')
    or not exists (
      select from pgqueue.roles as r
      join pg_roles as there on there.rolname = r.role
      where r.part in ('operator', 'admin') and pg_has_role(_role, there.oid, 'member'))
  then
    return;
  end if;
  if not exists (
    select from (select a.* from pgqueue.audit as a order by a.id desc limit 50) as said
    where said.tx = pg_current_xact_id()
      -- Of many jobs the first 20 are named.
      and (_ids is null or _ids <@ said.job_ids or said.n > coalesce(cardinality(said.job_ids), 0)
        or (said.via = 'sql' and said.action = 'dead retry'))
      and (_on is null or said.filter is null or strpos(said.filter, _on) > 0))
  then
    insert into pgqueue.audit (who, via, action, filter, job_ids, n)
    values (_role, 'sql', _action, left(_on, 5000), _ids[1:20], cardinality(_ids));
  end if;
end $$;
