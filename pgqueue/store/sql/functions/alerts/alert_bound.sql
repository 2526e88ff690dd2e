-- From where on something is an alert: what is said of the object, else of the kind, else as it comes; null is never.
-- Walks alert_rules_pkey; O(1).
create or replace function pgqueue.alert_bound(_kind text, _object text default '') returns float8
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _said pgqueue.alert_rules;
begin
  select * into _said from pgqueue.alert_rules as r
  where r.kind = _kind and r.object = any (array[_object, ''])
  order by r.object = '' limit 1;
  if found then
    return _said.bound;
  end if;
  return (select each.bound from pgqueue.alert_bounds() as each where each.kind = _kind);
end $$;
