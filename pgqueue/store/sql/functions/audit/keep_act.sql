-- What was written into the audit stays as it is: whoever does not own it, or was given its owner, changes nothing in it, and
-- deletes what is older than 30 days alone, as prune() does. Called by the triggers audit_kept and audit_whole. O(1).
create or replace function pgqueue.keep_act() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_has_role(session_user, (select c.relowner from pg_class as c where c.oid = tg_relid), 'member') then
    return case when tg_op = 'UPDATE' then new else old end;
  elsif tg_op = 'DELETE' and old.at < now() - interval '30 days' then
    return old;
  end if;
  raise exception 'the audit is only added to: nobody changes a row of it, or deletes one that is younger than 30 days'
    using errcode = 'insufficient_privilege', schema = 'pgqueue', table = 'audit',
          hint = 'prune() deletes what is older than dead jobs are kept';
end $$;
