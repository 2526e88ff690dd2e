-- A JSON value as the one text that all who mean the same write: without white space, keys in order of their code
-- points, of keys that come twice the last. Numbers stay as they are written. As json.dumps(sort_keys=True) in Python.
-- O(size log size).
create or replace function pgqueue.canonical(_value json) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  case json_typeof(_value)
    when 'object' then
      return '{' || coalesce((
        select string_agg(to_json(entry.key)::text || ':' || pgqueue.canonical(entry.value), ','
                          order by entry.key collate "C")
        from (
          select distinct on (each.key collate "C") each.key, each.value
          from json_each(_value) with ordinality as each (key, value, n)
          order by each.key collate "C", each.n desc) as entry), '') || '}';
    when 'array' then
      return '[' || coalesce((
        select string_agg(pgqueue.canonical(each.value), ',' order by each.n)
        from json_array_elements(_value) with ordinality as each (value, n)), '') || ']';
    when 'string' then
      return to_json(_value #>> '{}')::text;
    else
      return _value::text;
  end case;
end $$;
