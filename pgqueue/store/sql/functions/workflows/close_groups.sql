-- The open groups of a workflow that is cancelled: nothing is added to them any more, and what they owe counts as that of
-- a member that was cancelled. A part of cancel_workflow(). Walks nodes_pkey; O(nodes).
create or replace function pgqueue.close_groups(_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _workflows uuid[];
  _links text[];
begin
  with closed as (
    update pgqueue.nodes as node set open = false
    where node.workflow_id = _id and node.open
    returning node.workflow_id, pgqueue.links_called_off(node.success_links, node.failure_links)::text as links
  )
  select array_agg(closed.workflow_id), array_agg(closed.links) into _workflows, _links from closed;
  perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
end $$;
