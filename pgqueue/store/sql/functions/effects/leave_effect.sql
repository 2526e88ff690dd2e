-- The block raised: nothing was done, and the key is free again; or it may have been, and whoever comes next is told.
-- Fenced: false, and nothing is written, once another attempt has the key, or nobody. In the transaction that entered
-- the key as done, it is taken back there; of an application's, _job and what names its claim are null.
-- Walks effects_pkey; O(log n).
create or replace function pgqueue.leave_effect(
  _scope text, _key text, _job uuid, _worker bigint, _claim int, _unknown boolean) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  _scope := pgqueue.effect_scope(_scope, _job);
  if _unknown then
    update pgqueue.effects as e set state = 'unknown', done_at = null
    where e.scope = _scope and e.key = _key
      and (e.job_id, e.worker, e.claim) is not distinct from (_job, _worker, _claim);
  else
    delete from pgqueue.effects as e
    where e.scope = _scope and e.key = _key
      and (e.job_id, e.worker, e.claim) is not distinct from (_job, _worker, _claim);
  end if;
  return found;
end $$;
