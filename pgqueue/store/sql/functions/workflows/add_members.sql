-- Jobs are added to an open group, in the caller's transaction, told as write_members.sql has it: each gets the links of
-- its node, whose gates wait for them, too. Raises if the group was closed. Whoever closes it waits for this transaction;
-- who adds, or settles, does not. Answers how many jobs. Walks nodes_pkey; O(batch log n).
create or replace function pgqueue.add_members(_workflow uuid, _node int, _said json) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _base constant int := nextval('pgqueue.graft_numbers');
  _own int;
  _jobs int;
  _group record;
begin
  select node.open, node.success_links, node.failure_links into _group
  from pgqueue.nodes as node where node.workflow_id = _workflow and node.node = _node for share;
  if not coalesce(_group.open, false) then
    raise exception 'group % of workflow % %', _node, _workflow,
        case when _group.open is null then 'does not exist' else 'is closed' end
      using errcode = 'object_not_in_prerequisite_state', schema = 'pgqueue', table = 'nodes',
            hint = 'add to it before it is closed, or from its own jobs while they run';
  end if;
  _own := pgqueue.own_among(_said);
  _jobs := pgqueue.write_members(_workflow, _said, _base, _node, _group.success_links, _group.failure_links);
  perform pgqueue.raise_gates(_workflow, _group.success_links, _own);
  return _jobs;
end $$;
