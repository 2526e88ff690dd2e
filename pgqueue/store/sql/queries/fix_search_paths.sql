-- Have every function of pgqueue call pg_catalog alone, those of an earlier release that have stayed among them: for a
-- migration, after functions were made anew. Left as they are: those whose text was bound when they were made, and those
-- with the rights of their owner, which look into pgqueue, too.
do $$
declare
  _loose regprocedure;
begin
  for _loose in
    select p.oid from pg_proc as p
    where p.pronamespace = 'pgqueue'::regnamespace and p.prosqlbody is null
      and not coalesce(
        p.proconfig && '{"search_path=pg_catalog, pg_temp", "search_path=pg_catalog, pgqueue, pg_temp"}'::text[], false)
    order by p.oid
  loop
    execute format('alter routine %s set search_path = pg_catalog, pg_temp', _loose);
  end loop;
end $$
