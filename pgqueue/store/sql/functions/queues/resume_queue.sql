-- Go on with claims from a queue, and tell idle workers of it. Walks queues_pkey; O(1).
create or replace function pgqueue.resume_queue(_queue text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.note_act('queues resume', _queue);
  update pgqueue.queues as q set paused = false, paused_until = null where q.name = _queue;
  perform pgqueue.wake(_queue);
end $$;
