-- What counts when a member is cancelled, from its links: what its failure counts towards, and all that only its success
-- would have opened is closed: nobody can run it any more. O(links).
create or replace function pgqueue.links_called_off(_success_links int[], _failure_links int[]) returns int[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(_failure_links, '{}') || array(
    select -link from unnest(_success_links) as link
    where link > 0 and link <> all (coalesce(_failure_links, '{}')) and -link <> all (coalesce(_failure_links, '{}')));
end $$;
