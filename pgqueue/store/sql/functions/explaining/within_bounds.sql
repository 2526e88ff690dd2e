-- A reason as it is shown, whatever somebody has written as a name: a part of explain() and explain_queue(). What is longer
-- than anybody would name a thing is cut; a command would be another one then, and is left out.
-- O(length), no table.
create or replace function pgqueue.within_bounds(inout text text, inout detail jsonb, inout cure text)
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  text := left(text, 2000);
  if length(cure) > 2000 then
    cure := null;
  end if;
  if pg_column_size(detail) > 8000 then
    detail := (
      select jsonb_object_agg(
        fact.key, case when jsonb_typeof(fact.value) = 'string' then to_jsonb(left(fact.value #>> '{}', 500))
                       when pg_column_size(fact.value) <= 2000 then fact.value end)
      from jsonb_each(detail) as fact);
  end if;
end $$;
