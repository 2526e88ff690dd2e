-- How many jobs and open nodes of what is added to a workflow have the links of who adds them. O(batch).
create or replace function pgqueue.own_among(_said json) returns int
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select count(*)
    from (
      select each.value from json_array_elements(coalesce(_said -> 'jobs', '[]')) as each (value)
      union all
      select each.value from json_array_elements(coalesce(_said -> 'nodes', '[]')) as each (value)) as new
    where (new.value ->> 'own')::boolean);
end $$;
