-- Signals whose waits may not have been seen by their senders, at most _max: met now. One that is being sent, or whose
-- waiting job is locked, stays for the next look. Walks signals_unsure; O(_max log n).
create or replace function pgqueue.meet_unsure(_max int default 200) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _one record;
  _met int := 0;
begin
  for _one in
    select sent.scope, sent.name from pgqueue.signals as sent
    where sent.unsure order by sent.scope, sent.name limit _max for update skip locked
  loop
    if pg_try_advisory_xact_lock(7714, hashtext(_one.scope::text || _one.name))
      and pgqueue.meet(_one.scope, _one.name)
    then
      update pgqueue.signals as sent set unsure = false where sent.scope = _one.scope and sent.name = _one.name;
      _met := _met + 1;
    end if;
  end loop;
  return _met;
end $$;
