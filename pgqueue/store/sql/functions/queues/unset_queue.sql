-- Let a queue say nothing any more of its timeout, max_attempts, priority, ageing, or of what it allows: of those named.
-- Live workers hear of it. The last priority of all queues, and what a queue allows, need the owner of `jobs`
-- (arrange_filling.sql, allow_targets.sql). Walks queues_pkey; O(workers).
create or replace function pgqueue.unset_queue(_queue text, _names text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _known constant text[] := '{timeout,max_attempts,priority,ageing,allow}';
begin
  perform pgqueue.note_act('queues unset', _queue);
  if not coalesce(_names <@ _known, false) then
    raise exception 'a queue says timeout, max_attempts, priority, ageing or allow, not %', coalesce(_names::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if 'priority' = any (_names) then
    perform pgqueue.arrange_filling(
      exists (select from pgqueue.routes)
      or exists (select from pgqueue.queues as q where q.priority is not null and q.name <> _queue));
  end if;
  if 'allow' = any (_names) and exists (select from pgqueue.queues as q where q.name = _queue and q.allow is not null) then
    perform pgqueue.allow_targets(_queue, null);
  end if;
  update pgqueue.queues as q
  set timeout = case when 'timeout' <> all (_names) then q.timeout end,
      max_attempts = case when 'max_attempts' <> all (_names) then q.max_attempts end,
      priority = case when 'priority' <> all (_names) then q.priority end,
      ageing = case when 'ageing' <> all (_names) then q.ageing end
  where q.name = _queue;
  perform pgqueue.alert(w.id) from pgqueue.workers as w where w.expires_at > now();
end $$;
