-- Whether a queue is paused: a part of explain() and explain_queue(). Walks queues_pkey; O(1).
create or replace function pgqueue.explain_pause(_queue text)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := statement_timestamp();
  _until timestamptz;
begin
  select pgqueue.is_paused(q.paused, q.paused_until), q.paused_until into holds, _until
  from pgqueue.queues as q where q.name = _queue;
  code := 'queue_paused';
  holds := coalesce(holds, false);
  text := case when not holds then format('queue %s is not paused', _queue)
               when _until is null then format('queue %s is paused until somebody resumes it', _queue)
               else format('queue %s is paused for another %s', _queue, pgqueue.time_between(_now, _until)) end;
  detail := jsonb_strip_nulls(jsonb_build_object('queue', _queue, 'until', case when holds then _until end));
  cure := case when holds then 'pgqueue queues resume -- ' || pgqueue.shell_word(_queue) end;
  return next;
end $$;
