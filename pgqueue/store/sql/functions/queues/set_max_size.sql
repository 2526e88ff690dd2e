-- How many live jobs a queue may hold, from the commit of the open transaction on, and what becomes of an enqueue that
-- finds it full: `raise` (usual) refuses it, `drop_oldest` cancels the jobs that have waited longest. Null or 0 lifts it.
-- select pgqueue.set_max_size('mail', 100000, on_full => 'drop_oldest');
-- What is not said of on_full stays. Waits for open transactions that have enqueued, a second at most (bound_queue.sql).
create or replace function pgqueue.set_max_size(queue text, max_size int, on_full text default null) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  size constant int := nullif(max_size, 0);
  -- What is wrong, then what to do, as in enqueue.sql.
  fault constant text[] := case
    when queue is null or length(queue) not between 1 and 500 then array[
      'queue must have 1 to 500 characters, got ' || coalesce(length(queue)::text, 'null'), 'for example ''mail''']
    when size not between 1 and 100000000 then array[
      'max_size must be from 1 to 100000000, got ' || size, '0 lifts it; to take nothing at all, revoke the grant']
    when on_full not in ('raise', 'drop_oldest') then array[
      'on_full must be raise or drop_oldest, got ' || quote_literal(left(on_full, 80)), 'raise is usual']
    when on_full is not null and size is null then array[
      'on_full is of a queue that has a max_size', 'say how many jobs it may hold, too']
  end;
begin
  perform pgqueue.note_act('queues limit', queue);
  if fault is not null then
    raise exception '%', fault[1]
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', table = 'queues', hint = fault[2];
  end if;
  if size is null then
    update pgqueue.queues as q set max_size = null, on_full = null where q.name = queue and q.max_size is not null;
  else
    insert into pgqueue.queues as q (name, max_size, on_full) values (queue, size, coalesce(on_full, 'raise'))
    on conflict on constraint queues_pkey do update
    set max_size = size, on_full = coalesce(on_full, q.on_full, 'raise');
  end if;
  perform pgqueue.bound_queue(queue);
end $$;
