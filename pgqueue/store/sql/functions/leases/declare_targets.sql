-- A worker says what it can run: targets, and modules whose functions it may call; and for how long a job may wait that
-- no live worker knows. `_hash` stands for the names, which are kept once. False if the worker has no row any more.
-- Walks workers_pkey, targets_pkey; O(names).
create or replace function pgqueue.declare_targets(_worker bigint, _hash text, _names text[], _keep_unknown interval)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
  insert into pgqueue.targets (hash, names) values (_hash, _names) on conflict (hash) do update set declared_at = now();
  update pgqueue.workers as me
  set targets = _hash, keep_unknown = _keep_unknown,
      unknown = array(select u.target from unnest(me.unknown) as u (target) where u.target <> all (_names))
  where me.id = _worker;
  return found;
end $$;
