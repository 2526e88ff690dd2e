-- Which arguments are the results of other nodes: those that are {"$result": name}, by their name, or their place from 0
-- on. O(arguments).
create or replace function pgqueue.inputs_of(_args json) returns table (key text, from_name text)
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select each.key, each.value ->> '$result'
  from (
    select a.key, a.value from json_each(case when json_typeof(_args) = 'object' then _args else '{}' end) as a
    union all
    select (e.n - 1)::text, e.value
    from json_array_elements(case when json_typeof(_args) = 'array' then _args else '[]' end)
      with ordinality as e (value, n)) as each
  where json_typeof(each.value) = 'object' and each.value ->> '$result' is not null;
end $$;
