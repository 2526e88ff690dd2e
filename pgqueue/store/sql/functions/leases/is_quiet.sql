-- Whether a queue was set to send no notifications.
-- With the rights of its owner: who may only enqueue may not read `queues`, and this is all that it tells of it.
-- Walks queues_pkey; O(1).
create or replace function pgqueue.is_quiet(_queue text) returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from pgqueue.queues as queue where queue.name = _queue and queue.notify = 'off')
$$;
