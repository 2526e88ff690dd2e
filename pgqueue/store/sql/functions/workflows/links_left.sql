-- The links of a success that may still come, once its failure has counted: what any end counts towards has had it.
-- Null for what has none. O(links).
create or replace function pgqueue.links_left(_success_links int[], _failure_links int[]) returns int[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when _success_links is null or _failure_links is null then _success_links
              else array(
                select link from unnest(_success_links) as link where link <> all (_failure_links)) end;
end $$;
