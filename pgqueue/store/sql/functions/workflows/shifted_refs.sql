-- What arguments refer to (result_of.sql), the numbers of nodes so much higher. O(references).
create or replace function pgqueue.shifted_refs(_refs jsonb, _by int) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _by = 0 then
    return _refs;
  end if;
  return case jsonb_typeof(_refs)
    when 'number' then to_jsonb(_refs::int + _by)
    when 'array' then (
      select coalesce(jsonb_agg(pgqueue.shifted_refs(each.value, _by) order by each.n), '[]')
      from jsonb_array_elements(_refs) with ordinality as each (value, n))
    when 'object' then (
      select coalesce(jsonb_object_agg(each.key, pgqueue.shifted_refs(each.value, _by)), '{}')
      from jsonb_each(_refs) as each)
    else _refs end;
end $$;
