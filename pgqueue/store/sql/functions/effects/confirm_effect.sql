-- reserved -> done, with what came of it. Said twice by the same claim it is true twice.
-- Fenced: false, and nothing is written, once another attempt has the key, or nobody.
-- Walks effects_pkey; O(log n).
create or replace function pgqueue.confirm_effect(
  _scope text, _key text, _job uuid, _worker bigint, _claim int, _keep interval, _value json) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _now constant timestamptz := clock_timestamp();
begin
  _scope := pgqueue.effect_scope(_scope, _job);
  update pgqueue.effects as e
  set state = 'done', done_at = _now, expires_at = _now + _keep, value = _value
  where e.scope = _scope and e.key = _key and e.job_id = _job and e.worker = _worker and e.claim = _claim;
  return found;
end $$;
