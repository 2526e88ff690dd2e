-- For what a job of a workflow waits: how many ends its gate still needs, and the first ten jobs that owe it one, those
-- that are dead first; a part of explain(). No row if it waits at no gate.
-- Walks waiting_id, gates_pkey, nodes_pkey; then the jobs of the nodes that it needs, and if none of them owes it, of the
-- whole workflow, 2,000 of each place at most.
create or replace function pgqueue.explain_waiting(_id uuid)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _job record;
  _gate record;
  _whole record;
  _named text;
  _owed jsonb;
  _dead int;
begin
  select w.workflow_id, w.gate, w.node, w.queue, w.target, w.priority into _job
  from pgqueue.waiting as w where w.id = _id;
  if not found then
    return;
  end if;
  select w.name, w.asked into _whole from pgqueue.workflows as w where w.id = _job.workflow_id;
  select n.name into _named from pgqueue.nodes as n where n.workflow_id = _job.workflow_id and n.node = _job.node;
  select g.unmet, g.total into _gate
  from pgqueue.gates as g where g.workflow_id = _job.workflow_id and g.gate = _job.gate;
  code := 'state';
  holds := false;
  text := format('waiting, node %s of workflow %s, target %s', coalesce(_named, _job.node::text), _whole.name, _job.target);
  detail := jsonb_strip_nulls(jsonb_build_object(
    'id', _id, 'state', 'waiting', 'queue', _job.queue, 'target', _job.target, 'priority', _job.priority,
    'workflow', _job.workflow_id, 'node', _named));
  return next;

  _owed := pgqueue.owing(_job.workflow_id, _job.node, _job.gate, 10);
  _dead := (select count(*) from jsonb_array_elements(_owed) as each where each ->> 'state' = 'dead');
  code := 'gate';
  holds := true;
  text := case
    when _gate.unmet is null then 'the gate that it waits at is gone: its rows were deleted by hand'
    when jsonb_array_length(_owed) = 0 then format('it waits for %s more, and no job was found that owes it one', _gate.unmet)
    else format('it waits for %s more: %s%s', _gate.unmet, (
      select string_agg(format('%s (%s%s)', alike.node, case when alike.n > 1 then alike.n || ' ' end, alike.state), ', '
                        order by alike.first)
      from (
        select each ->> 'node' as node, each ->> 'state' as state, count(*) as n, min(place) as first
        from jsonb_array_elements(_owed) with ordinality as each (each, place)
        group by 1, 2) as alike),
      case when _gate.unmet > jsonb_array_length(_owed) then ' and others' else '' end) end;
  detail := jsonb_strip_nulls(jsonb_build_object(
    'workflow', _job.workflow_id, 'gate', _job.gate, 'unmet', _gate.unmet, 'of', _gate.total, 'owed_by', _owed));
  cure := case
    when _whole.asked = 'cancel' then 'pgqueue workflows cancel ' || _job.workflow_id
    when _dead > 0 then 'pgqueue workflows retry ' || _job.workflow_id
    when jsonb_array_length(_owed) = 0 then format('select pgqueue.mend_workflow(%L);', _job.workflow_id) end;
  return next;
end $$;
