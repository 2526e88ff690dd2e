-- Have every function of pgqueue call pg_catalog alone, those of an earlier release that have stayed among them: for a
-- migration, after functions were made anew. Left as they are: those whose text was bound when they were made.
do $$
declare
  _loose regprocedure;
begin
  for _loose in
    select p.oid from pg_proc as p
    where p.pronamespace = 'pgqueue'::regnamespace and p.prosqlbody is null
      and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
    order by p.oid
  loop
    execute format('alter routine %s set search_path = pg_catalog, pg_temp', _loose);
  end loop;
end $$
