-- The limits that the code of an app declares, by the names of their columns, in place of those that it declared before;
-- unless `_keep`, those that it declares no more go. What people, or another app, have set of the same name is theirs.
-- Writes nothing where nothing has changed. Walks limits_pkey; O(limits log n).
create or replace function pgqueue.declare_limits(_source text, _said json[], _keep boolean) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _one json;
  _rule pgqueue.limits;
  _gone record;
begin
  -- In order, so that two apps that declare the same ones do not deadlock.
  for _one in
    select said from unnest(_said) as said where said is not null
    order by said ->> 'scope' collate "C", said ->> 'name' collate "C"
  loop
    _rule := json_populate_record(null::pgqueue.limits, _one);
    _rule.weight := coalesce(_rule.weight, 1);
    _rule.ordered := coalesce(_rule.ordered, false);
    _rule.on_dead := coalesce(_rule.on_dead, 'go on');
    _rule.source := _source;
    perform pg_advisory_xact_lock(7707, hashtext(_rule.scope || ' ' || _rule.name));
    if not exists (
      select from pgqueue.limits as l
      where l.scope = _rule.scope and l.name = _rule.name and l.source is distinct from _source)
    then
      perform pgqueue.write_limit(_rule);
    end if;
  end loop;
  if _keep then
    return;
  end if;
  for _gone in
    select l.scope, l.name from pgqueue.limits as l
    where l.source = _source
      and not exists (
        select from unnest(_said) as said where said ->> 'scope' = l.scope and said ->> 'name' = l.name)
    order by l.scope, l.name
  loop
    perform pgqueue.remove_limit(_gone.scope, _gone.name);
  end loop;
end $$;
