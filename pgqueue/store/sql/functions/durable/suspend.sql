-- running -> scheduled | retrying, for durable functions that sleep, or wait for what `waits` says: as release(), with the
-- attempt given back; answers the ids that were late. Those whose signal has come meanwhile are due now; while one is
-- being sent, they look again in a second. O(batch log n).
create or replace function pgqueue.suspend(_worker bigint, _ids uuid[], _claims int[], _delays float8[], _whys text[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _none constant text[] := array_fill(null::text, array[cardinality(_ids)]);
  _late constant uuid[] := pgqueue.release(
    _worker, _ids, _claims, _delays, array_fill(true, array[cardinality(_ids)]),
    array_fill(false, array[cardinality(_ids)]), _none, _whys, _none);
begin
  perform pgqueue.lay_down(told.id, told.claim)
  from (
    select * from unnest(_ids, _claims) as each (id, claim) where each.id <> all (_late) order by each.id) as told;
  return _late;
end $$;
