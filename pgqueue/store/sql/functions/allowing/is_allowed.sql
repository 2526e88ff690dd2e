-- Whether a queue takes jobs of a target: it says nothing of it, or one of its patterns means the target (is_like.sql).
-- With the rights of its owner: who may only enqueue may not read `queues`, and this is all that it tells of them.
-- Walks queues_pkey; O(log n + patterns).
create or replace function pgqueue.is_allowed(_queue text, _target text) returns boolean
language plpgsql stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select q.allow is null
      or exists (select from unnest(q.allow) as one (pattern) where pgqueue.is_like(one.pattern, _target))
    from pgqueue.queues as q where q.name = _queue), true);
end $$;
