-- By hand: somebody has looked, and what was unknown was done. As forget_effect answers; what is done stays as it is.
-- Walks effects_pkey; O(log n).
create or replace function pgqueue.effect_done(
  _key text, _scope text default 'default', _keep interval default '30 days', _value json default null)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _now constant timestamptz := clock_timestamp();
  _found pgqueue.effects;
begin
  perform pgqueue.note_act('effects done', _scope || ':' || _key);
  _scope := pgqueue.tenant_key(_scope);
  select * into _found from pgqueue.effects as e where e.scope = _scope and e.key = _key for update;
  if not found then
    return false;
  end if;
  if _found.state = 'reserved' and pgqueue.is_running(_found.job_id, _found.worker, _found.claim) then
    return null;
  end if;
  update pgqueue.effects as e
  set state = 'done', done_at = _now, expires_at = _now + _keep, value = _value
  where e.scope = _scope and e.key = _key and e.state <> 'done';
  return true;
end $$;
