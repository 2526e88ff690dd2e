-- enqueue_new() for each job of an array, in order of id and then of key, so that no two batches deadlock. Answers them
-- in the order of the array. O(batch log n).
create or replace function pgqueue.enqueue_new_jobs(_new_jobs json)
returns table (n bigint, id uuid, created boolean, replaced boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _ids uuid[];
  _created boolean[];
  _replaced boolean[];
  _new record;
  _added record;
begin
  for _new in
    select each.value, each.n
    from json_array_elements(_new_jobs) with ordinality as each (value, n)
    order by case when (each.value ->> 'given')::boolean then each.value ->> 'id' else '~' end collate "C",
             each.value ->> 'unique_key' collate "C", each.n
  loop
    select * into _added from pgqueue.enqueue_new(_new.value);
    _ids[_new.n] := _added.id;
    _created[_new.n] := _added.created;
    _replaced[_new.n] := _added.replaced;
  end loop;
  return query
  select told.n, told.id, told.created, told.replaced
  from unnest(_ids, _created, _replaced) with ordinality as told (id, created, replaced, n);
end $$;
