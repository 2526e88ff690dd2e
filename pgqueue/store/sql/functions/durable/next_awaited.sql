-- The place, from `_place` down, of a job to which no signal of this name was sent; null if all have one. Each look costs
-- as many probes as have one in a row. Walks signals_pkey.
create or replace function pgqueue.next_awaited(_scopes uuid[], _name text, _place int) returns int
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  while _place > 0 and exists (
    select from pgqueue.signals as sent where sent.scope = _scopes[_place] and sent.name = _name)
  loop
    _place := _place - 1;
  end loop;
  return nullif(_place, 0);
end $$;
