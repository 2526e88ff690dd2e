-- The links of members that have just ended count: of each workflow a text of its links. Where the members _failed what
-- they close has failed, too; else it is pointless now. Answers how many jobs were moved. O(links log n).
create or replace function pgqueue.count_ends(_workflows uuid[], _links text[], _failed boolean, _due timestamptz)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _of uuid[];
  _gates int[];
  _counts int[];
begin
  select array_agg(told.workflow_id), array_agg(link), array_agg((_failed or link > 0)::int)
  into _of, _gates, _counts
  from unnest(_workflows, _links) as told (workflow_id, links)
  cross join lateral unnest(told.links::int[]) as link;
  return case when _of is null then 0 else pgqueue.fire_links(_of, _gates, _counts, _due) end;
end $$;
