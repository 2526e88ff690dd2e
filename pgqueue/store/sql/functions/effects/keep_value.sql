-- What came of an effect, kept with its key in the transaction that entered it as done. Walks effects_pkey; O(log n).
create or replace function pgqueue.keep_value(_scope text, _key text, _value json) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  _scope := pgqueue.tenant_key(_scope);
  update pgqueue.effects as e set value = _value where e.scope = _scope and e.key = _key and e.state = 'done';
end $$;
