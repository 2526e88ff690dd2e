-- Who has logged in writes an act down, whatever the row says, and when: noted by the database itself. The owner may say
-- another time. Called by the trigger audit_signed. O(1).
create or replace function pgqueue.sign_act() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _acting constant name := pgqueue.acting_role();
begin
  new.role := session_user || case when _acting <> session_user then ' as ' || _acting else '' end;
  new.tx := pg_current_xact_id();
  if not pg_has_role(session_user, (select c.relowner from pg_class as c where c.oid = tg_relid), 'member') then
    new.at := clock_timestamp();
  end if;
  return new;
end $$;
