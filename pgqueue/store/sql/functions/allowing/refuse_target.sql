-- Refuse a job of a target that its queue does not take, in the transaction of whoever brings it; nothing if it does.
-- With the rights of its owner, as is_allowed.sql. Walks queues_pkey; O(log n + patterns).
create or replace function pgqueue.refuse_target(_queue text, _target text) returns void
language plpgsql stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if pgqueue.is_allowed(_queue, _target) then
    return;
  end if;
  -- Not 42501, which would be about who settles where a follow-up is refused (bring.sql).
  raise exception 'the queue % takes no job of %: it allows %', quote_literal(left(_queue, 80)), left(_target, 200), (
      select array_to_string(q.allow[1:5], ', ') || case when cardinality(q.allow) > 5 then ', ...' else '' end
      from pgqueue.queues as q where q.name = _queue)
    using errcode = 'with_check_option_violation', schema = 'pgqueue', table = 'queues', constraint = 'queues_allow',
          detail = json_build_object('queue', _queue, 'target', _target)::text,
          hint = 'enqueue it into another queue, or allow it there: pgqueue queues set QUEUE --allow PATTERN';
end $$;
