-- Those who wait for this signal go on; false if one of them could not be told. Walks waits_signal; O(waits log n).
create or replace function pgqueue.meet(_scope uuid, _name text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _wait pgqueue.waits;
  _all boolean := true;
begin
  for _wait in
    select * from pgqueue.waits as w where w.scope = _scope and w.name = _name order by w.job_id
  loop
    _all := pgqueue.pass_on(_wait) and _all;
  end loop;
  return _all;
end $$;
