-- Whether a job waits at a gate of its workflow. With the rights of its owner: who may only enqueue may not read
-- `waiting`. Walks waiting_id; O(log n).
create or replace function pgqueue.is_waiting(_id uuid) returns boolean
language sql stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from pgqueue.waiting as w where w.id = _id)
$$;
