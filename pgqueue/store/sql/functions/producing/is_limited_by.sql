-- Whether a role is under the limit of another one, because it is a member of it. A superuser is a member of every role, and
-- counts as of none. O(1).
create or replace function pgqueue.is_limited_by(_role text, _limit text) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pg_roles as me join pg_roles as named on named.rolname = _limit
    where me.rolname = _role and not me.rolsuper and pg_has_role(me.oid, named.oid, 'member'));
end $$;
