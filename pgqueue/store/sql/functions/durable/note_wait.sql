-- What a durable function is about to wait for, as of this claim. Walks waits_pkey; O(log n).
create or replace function pgqueue.note_wait(
  _id uuid, _claim int, _kind text, _step text, _name text, _scopes uuid[], _place int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  insert into pgqueue.waits as known (job_id, claim, kind, step, scope, name, scopes, place)
  values (_id, _claim, _kind, _step, _scopes[_place], _name, _scopes, _place)
  on conflict (job_id) do update
  set claim = excluded.claim, scope = excluded.scope, name = excluded.name, scopes = excluded.scopes,
      place = excluded.place, kind = excluded.kind, step = excluded.step,
      since = case when known.kind = excluded.kind and known.step = excluded.step then known.since
                   else excluded.since end
  -- Of two attempts the later.
  where known.claim <= excluded.claim;
end $$;
