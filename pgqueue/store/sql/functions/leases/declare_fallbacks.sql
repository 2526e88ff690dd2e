-- A worker says which of its tasks fall back where an attempt is lost, and after how many: {target: [fallback, after]}.
-- Walks workers_pkey; O(1).
create or replace function pgqueue.declare_fallbacks(_worker bigint, _said json) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  update pgqueue.workers as me set fallbacks = _said where me.id = _worker
$$;
