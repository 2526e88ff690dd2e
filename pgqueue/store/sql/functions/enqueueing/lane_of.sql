-- The lane in which jobs of this limit key and target wait; null for what has neither a key nor a task with limits.
-- With the rights of its owner: who may only enqueue may not read `limits`, and this is all that it tells of them.
-- Walks limits_pkey; O(log n).
create or replace function pgqueue.lane_of(_limit_key text, _target text) returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select case when exists (select from pgqueue.limits as l where l.scope = 'task' and l.name = _target)
              then coalesce(_limit_key, '') || chr(1) || _target
              else nullif(_limit_key, '') end
$$;
