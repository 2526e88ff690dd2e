-- A role may enqueue as much as it likes again; false if it had no limit. For the owner of `jobs`. O(log n).
create or replace function pgqueue.remove_role_limit(role text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  perform pgqueue.note_act('limits role', role);
  perform pg_advisory_xact_lock(7715, 1);
  delete from pgqueue.role_limits as l where l.role = role;
  if not found then
    return false;
  end if;
  perform pgqueue.arrange_role_limits(role);
  return true;
end $$;
