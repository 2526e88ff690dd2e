-- Have the jobs of a target, or of those that a glob means, wait in a queue where neither they nor their task say one.
-- select pgqueue.set_route('video.*', 'media');
-- For jobs to come. The first route needs the owner of `jobs` (arrange_filling.sql). Walks routes_pkey; O(log n).
create or replace function pgqueue.set_route(pattern text, queue text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  fault constant text[] := case
    when pattern is null or length(pattern) not between 1 and 500 or pattern !~ '[*?:]' then array[
      'a route is of a target ''module:function'', or of a glob of them, got '
        || coalesce(quote_literal(left(pattern, 80)), 'null'),
      'for example ''video.*''']
    when queue is null or length(queue) not between 1 and 500 then array[
      'queue must have 1 to 500 characters, got ' || coalesce(length(queue)::text, 'null'), 'for example ''media''']
  end;
begin
  perform pgqueue.note_act('routes set', pattern);
  if fault is not null then
    raise exception '%', fault[1] using errcode = 'invalid_parameter_value', hint = fault[2];
  end if;
  perform pgqueue.arrange_filling(true);
  insert into pgqueue.routes as r (pattern, queue) values (pattern, queue)
  on conflict on constraint routes_pkey do update set queue = excluded.queue;
end $$;
