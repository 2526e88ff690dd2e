-- Which targets a queue takes, from the commit of the open transaction on; each is a target, or a glob of them: `*` stands
-- for any letters, `?` for one. Null: any. Who enqueues another there is refused in their transaction; what waits there
-- already, or comes another way, is buried by the worker that claims it. Live workers hear of it.
-- select pgqueue.allow_targets('mail', '{shop.mail:*}');
-- The first patterns of a queue, and lifting them, need the owner of `jobs`, and a lock on it (arrange_allowing.sql);
-- others change nothing but the row. Walks queues_pkey; O(workers).
create or replace function pgqueue.allow_targets(queue text, patterns text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  odd constant text := (
    select coalesce(one.pattern, '') from unnest(patterns) as one (pattern)
    where one.pattern is null or length(one.pattern) not between 1 and 500 or one.pattern !~ '[*:]' limit 1);
  -- What is wrong, then what to do, as in enqueue.sql.
  fault constant text[] := case
    when queue is null or length(queue) not between 1 and 500 then array[
      'queue must have 1 to 500 characters, got ' || coalesce(length(queue)::text, 'null'), 'for example ''mail''']
    when cardinality(patterns) not between 1 and 100 then array[
      'a queue allows 1 to 100 targets or globs of them, got ' || cardinality(patterns),
      'null allows any; to run nothing, pause the queue']
    when odd is not null then array[
      'what a queue allows is a target ''module:function'', or a glob of them, got ' || quote_literal(left(odd, 80)),
      'for example ''shop.mail:*''']
  end;
  had boolean;
begin
  perform pgqueue.note_act('queues allow', queue);
  if fault is not null then
    raise exception '%', fault[1]
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', table = 'queues', hint = fault[2];
  end if;
  -- One at a time: what another says meanwhile is kept by the triggers, too.
  perform pg_advisory_xact_lock(7715, 0);
  had := exists (select from pgqueue.queues as q where q.name = queue and q.allow is not null);
  if patterns is not null then
    insert into pgqueue.queues as q (name, allow) values (queue, patterns)
    on conflict on constraint queues_pkey do update set allow = excluded.allow;
  else
    update pgqueue.queues as q set allow = null where q.name = queue and q.allow is not null;
  end if;
  if had <> (patterns is not null) then
    perform pgqueue.arrange_allowing();
  end if;
  perform pgqueue.alert(w.id) from pgqueue.workers as w where w.expires_at > now();
end $$;
