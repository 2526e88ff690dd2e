-- Nothing is added to an open group any more: what it owes itself counts, so that its gates open with the last of its
-- members. False if it was closed before, or is none. Waits for whoever adds to it. Walks nodes_pkey; O(log n).
create or replace function pgqueue.close_group(_workflow uuid, _node int) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _links int[];
begin
  update pgqueue.nodes as node set open = false
  where node.workflow_id = _workflow and node.node = _node and node.open
  returning node.success_links into _links;
  if not found then
    return false;
  end if;
  perform pgqueue.count_ends(array[_workflow], array[_links::text], false, clock_timestamp());
  return true;
end $$;
