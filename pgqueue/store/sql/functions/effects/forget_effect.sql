-- By hand: nothing is known of the key any more, and whoever comes next does it. False if nothing was known of it, null
-- while an attempt is at it, which is to end first. Walks effects_pkey; O(log n).
create or replace function pgqueue.forget_effect(_key text, _scope text default 'default') returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _found pgqueue.effects;
begin
  perform pgqueue.note_act('effects forget', _scope || ':' || _key);
  _scope := pgqueue.tenant_key(_scope);
  select * into _found from pgqueue.effects as e where e.scope = _scope and e.key = _key for update;
  if not found then
    return false;
  end if;
  if _found.state = 'reserved' and pgqueue.is_running(_found.job_id, _found.worker, _found.claim) then
    return null;
  end if;
  delete from pgqueue.effects as e where e.scope = _scope and e.key = _key;
  return true;
end $$;
