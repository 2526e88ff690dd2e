-- A worker has met further tasks that may run at most once: from now on the reaper buries their jobs if it vanishes.
-- False if the worker has no row any more. Walks workers_pkey; O(1).
create or replace function pgqueue.declare(_worker bigint, _targets text[]) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update pgqueue.workers as me
  set at_most_once = array(select unnest(me.at_most_once) union select unnest(_targets) order by 1)
  where me.id = _worker;
  return found;
end $$;
