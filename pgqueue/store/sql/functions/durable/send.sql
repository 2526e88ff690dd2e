-- (nothing) -> a signal of this name to a job, in the caller's transaction: false if there is one. Who waits for it is due.
-- Whoever is not patient waits for nobody: the end of a job, which settles others, too. What then may not have been seen,
-- and by a sender whose snapshot is old, is `unsure`, and looked after by meet_unsure(). Walks signals_pkey, waits_signal;
-- O(log n).
create or replace function pgqueue.send(_scope uuid, _name text, _payload json, _keeper uuid, _patient boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _key constant int := hashtext(_scope::text || _name);
  _unsure boolean := current_setting('transaction_isolation') <> 'read committed';
begin
  if _patient then
    perform pg_advisory_xact_lock(7714, _key);
  elsif not pg_try_advisory_xact_lock(7714, _key) then
    _unsure := true;
  end if;
  insert into pgqueue.signals (scope, name, keeper, unsure, payload) values (_scope, _name, _keeper, _unsure, _payload)
  on conflict do nothing;
  if not found then
    return false;
  end if;
  if not pgqueue.meet(_scope, _name) and not _unsure then
    update pgqueue.signals as sent set unsure = true where sent.scope = _scope and sent.name = _name;
  end if;
  return true;
end $$;
