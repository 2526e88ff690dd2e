-- A limit goes: what it held back goes on under the rules that are left. False if there is none of this name.
-- One that code declares comes back within a minute, as the code says it. Walks limits_pkey; O(log n), and what
-- limit_changed.sql says.
create or replace function pgqueue.remove_limit(scope text, name text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  perform pgqueue.note_act('limits remove', name);
  delete from pgqueue.limits as l where l.scope = scope and l.name = name;
  if not found then
    return false;
  end if;
  if scope = 'queue' then
    perform pgqueue.mark_limited(name);
  end if;
  perform pgqueue.limit_changed(scope, name);
  return true;
end $$;
