-- The nodes of enqueue_workflow() as write_members() takes them: each is one job, and has a gate of its number if it needs
-- others (_said: the numbers of these, and whether any end of theirs will do). O(nodes + needs).
create or replace function pgqueue.compiled(_nodes json, _names text[], _ids text[], _said jsonb[]) returns json
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  _links json;
  _parts text[];
begin
  -- By node: which gates count its success, and which any end.
  select json_object_agg(need.node, json_build_object('success', need.gates, 'failure', need.ends)) into _links
  from (
    select each.value::int as node, array_agg(told.gate order by told.gate) as gates,
           array_agg(told.gate order by told.gate) filter (where (told.said ->> 'end')::boolean) as ends
    from unnest(_said) with ordinality as told (said, gate)
    cross join lateral jsonb_array_elements_text(told.said -> 'needs') as each (value)
    group by 1) as need;
  select array[
    json_agg(json_build_object(
      'node', n, 'name', _names[n], 'target', each.value ->> 'target', 'total', 1, 'needs', _said[n] -> 'needs',
      'job_id', _ids[n]) order by n)::text,
    coalesce(json_agg(json_build_object('gate', n, 'unmet', jsonb_array_length(_said[n] -> 'needs')) order by n)
      filter (where _said[n] -> 'needs' <> '[]'), '[]')::text,
    json_agg(json_build_object(
      'id', _ids[n], 'node', n, 'gate', case when _said[n] -> 'needs' <> '[]' then n end,
      'target', each.value ->> 'target', 'args', rest.args, 'inputs', rest.inputs, 'queue', each.value -> 'queue',
      'priority', each.value -> 'priority', 'delay', each.value -> 'delay', 'ttl', each.value -> 'ttl',
      'timeout', each.value -> 'timeout', 'max_attempts', each.value -> 'max_attempts',
      'limit_key', each.value -> 'limit_key', 'labels', each.value -> 'labels',
      'store_result', coalesce(each.value -> 'store_result', to_json(true)),
      'success_links', _links -> n::text -> 'success', 'failure_links', _links -> n::text -> 'failure') order by n)::text]
  into _parts
  from json_array_elements(_nodes) with ordinality as each (value, m)
  cross join lateral (select each.m::int as n) as number
  cross join lateral (
    select json_object_agg(input.key, _ids[array_position(_names, input.from_name)]) as inputs
    from pgqueue.inputs_of(each.value -> 'args') as input) as found
  cross join lateral (
    select found.inputs, case
      when found.inputs is null then coalesce(each.value -> 'args', '{}')
      when json_typeof(each.value -> 'args') = 'object' then (
        select coalesce(json_object_agg(a.key, a.value), '{}') from json_each(each.value -> 'args') as a
        where found.inputs -> a.key is null)
      else each.value -> 'args' end as args) as rest;
  return format('{"nodes":%s,"gates":%s,"jobs":%s}', coalesce(_parts[1], '[]'), _parts[2], coalesce(_parts[3], '[]'))::json;
end $$;
