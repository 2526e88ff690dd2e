-- So many more ends are to be counted towards these gates before they open. Told by rows of `arrivals`, so that nothing is
-- waited for: whoever still owes these gates a count keeps them from opening until this is committed. O(links).
create or replace function pgqueue.raise_gates(_workflow uuid, _links int[], _by int) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if _by > 0 then
    insert into pgqueue.arrivals (workflow_id, gate, n)
    select _workflow, link, -_by from unnest(_links) as link where link > 0;
  end if;
end $$;
