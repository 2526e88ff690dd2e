-- Take a route away; false if there is none of this pattern. Jobs that wait stay where they are.
-- The last one needs the owner of `jobs` (arrange_filling.sql). Walks routes_pkey; O(log n).
create or replace function pgqueue.remove_route(_pattern text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.note_act('routes remove', _pattern);
  if not exists (select from pgqueue.routes as r where r.pattern = _pattern) then
    return false;
  end if;
  perform pgqueue.arrange_filling(
    exists (select from pgqueue.routes as r where r.pattern <> _pattern)
    or exists (select from pgqueue.queues as q where q.priority is not null));
  delete from pgqueue.routes as r where r.pattern = _pattern;
  return true;
end $$;
