-- `limited` of a queue says whether a limit of its own holds its jobs back: ordinary claims leave such queues out.
-- Walks limits_pkey, queues_pkey; O(log n).
create or replace function pgqueue.mark_limited(_queue text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _limited constant boolean := exists (
    select from pgqueue.limits as l
    where l.scope = 'queue' and l.name = _queue and (l.concurrency is not null or l.starts is not null));
begin
  if _limited then
    insert into pgqueue.queues (name, limited) values (_queue, true)
    on conflict (name) do update set limited = true where not queues.limited;
  else
    update pgqueue.queues as q set limited = false where q.name = _queue and q.limited;
  end if;
end $$;
