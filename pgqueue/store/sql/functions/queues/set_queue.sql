-- The public way for SQL to say what holds of a queue's jobs where neither they nor their task say anything. What is
-- not given stays as it is (unset_queue.sql). Live workers hear of it.
-- select pgqueue.set_queue('mail', timeout => '60 s', max_attempts => 5, priority => 7);
-- timeout and max_attempts hold from the next start on, also of jobs that wait; priority for jobs to come; ageing, what
-- a level of priority is worth, for claims. The first priority of all queues needs the owner of `jobs`:
-- arrange_filling.sql. Walks queues_pkey; O(workers).
create or replace function pgqueue.set_queue(
  queue text, timeout interval default null, max_attempts int default null, priority int default null,
  ageing interval default null)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  -- What is wrong, then what to do, as in enqueue.sql.
  fault constant text[] := case
    when queue is null or length(queue) not between 1 and 500 then array[
      'queue must have 1 to 500 characters, got ' || coalesce(length(queue)::text, 'null'), 'for example ''mail''']
    when timeout <= '0' or timeout > '100 years' then array[
      'timeout must be more than 0 and at most 100 years, got ' || timeout, 'leave it out to keep what is said']
    when max_attempts not between 1 and 32767 then array[
      'max_attempts must be from 1 to 32767, got ' || max_attempts, 'leave it out to keep what is said']
    when priority not between 0 and 9 then array[
      'priority must be from 0 to 9, got ' || priority, 'higher runs first, 5 is usual']
    when ageing <= '0' or ageing > '100 years' then array[
      'ageing must be more than 0 and at most 100 years, got ' || ageing, 'leave it out to keep what is said']
    when coalesce(timeout::text, max_attempts::text, priority::text, ageing::text) is null then array[
      'nothing is said of queue ' || quote_literal(left(queue, 80)), 'give timeout, max_attempts, priority or ageing']
  end;
begin
  perform pgqueue.note_act('queues set', queue);
  if fault is not null then
    raise exception '%', fault[1] using errcode = 'invalid_parameter_value', hint = fault[2];
  end if;
  if priority is not null then
    perform pgqueue.arrange_filling(true);
  end if;
  insert into pgqueue.queues as q (name, timeout, max_attempts, priority, ageing)
  values (queue, extract(epoch from timeout)::float8, max_attempts, priority, extract(epoch from ageing)::float8)
  on conflict on constraint queues_pkey do update
    set timeout = coalesce(excluded.timeout, q.timeout),
        max_attempts = coalesce(excluded.max_attempts, q.max_attempts),
        priority = coalesce(excluded.priority, q.priority),
        ageing = coalesce(excluded.ageing, q.ageing);
  perform pgqueue.alert(w.id) from pgqueue.workers as w where w.expires_at > now();
end $$;
