-- The public way in for SQL: a workflow, in the caller's transaction. Each node is an object: its `name`, `target`, `args`,
-- and options of a job by the names of their columns (delay, ttl and timeout in seconds). It waits for the nodes that it
-- names in `after`, and for those whose results are among its arguments, {"$result": "name"}; all must stand before it.
-- With "on": "end" any end of theirs will do. Answers its id; that of the one that has the unique key, if there is one.
-- select pgqueue.enqueue_workflow('order 42', '[{"name": "a", "target": "shop:fetch", "args": [42]},
--   {"name": "b", "target": "shop:price", "args": {"item": {"$result": "a"}}}]');
-- O(nodes log n).
create or replace function pgqueue.enqueue_workflow(
  name text, nodes json, unique_key text default null, deadline interval default null, labels jsonb default null,
  id uuid default null)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  begun record;
  fault text[];
  names text[] := '{}';
  ids text[] := '{}';
  missing text;
  needs int[];
  said jsonb[] := '{}';
  node record;
begin
  if json_typeof(nodes) is distinct from 'array' then
    raise exception 'nodes are a JSON array, got %', left(coalesce(nodes::text, 'null'), 80)
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', hint = 'write [{"name": ..., "target": ...}, ...]';
  end if;
  for node in
    select each.n::int as n, each.value ->> 'name' as name, each.value ->> 'target' as target, each.value,
           coalesce(each.value -> 'args', '{}') as args, coalesce(each.value ->> 'on', 'success') as awaited
    from json_array_elements(nodes) with ordinality as each (value, n) order by each.n
  loop
    fault := case
      when coalesce(node.name, '') = '' or node.name = any (names)
        then array['has no name of its own', 'give each node another name']
      when node.awaited not in ('success', 'end') then array['waits for ' || left(node.awaited, 80), 'on is success or end']
      else pgqueue.fault_in_options(
        node.target, node.args, node.value ->> 'queue', (node.value ->> 'priority')::int,
        make_interval(secs => (node.value ->> 'delay')::float8), null,
        make_interval(secs => (node.value ->> 'ttl')::float8),
        make_interval(secs => (node.value ->> 'timeout')::float8), (node.value ->> 'max_attempts')::int, null,
        node.value ->> 'limit_key', null, (node.value -> 'labels')::jsonb) end;
    if fault is null then
      select array_agg(distinct array_position(names, wanted.name)),
             min(case when array_position(names, wanted.name) is null then wanted.name end)
      into needs, missing
      from (
        select json_array_elements_text(coalesce(node.value -> 'after', '[]')) as name
        union select input.from_name from pgqueue.inputs_of(node.args) as input) as wanted (name);
      fault := case when missing is not null
                    then array['waits for ' || quote_literal(missing) || ', which does not stand before it',
                               'order them so that each stands behind those that it waits for'] end;
    end if;
    if fault is not null then
      raise exception 'node % (%) %', node.n, coalesce(quote_literal(left(node.name, 80)), 'null'), fault[1]
        using errcode = 'invalid_parameter_value', schema = 'pgqueue', hint = fault[2];
    end if;
    names := names || node.name;
    ids := ids || pgqueue.uuid7()::text;
    said := said || jsonb_build_object('needs', coalesce(to_jsonb(needs), '[]'), 'end', node.awaited = 'end');
  end loop;
  select * into begun from pgqueue.begin_workflow(
    coalesce(id, pgqueue.uuid7()), name, unique_key, extract(epoch from deadline)::float8, labels, null);
  if begun.created then
    perform pgqueue.write_members(begun.id, pgqueue.compiled(nodes, names, ids, said));
  end if;
  return begun.id;
end $$;
