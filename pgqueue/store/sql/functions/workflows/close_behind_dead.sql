-- What the dead jobs of a workflow that is cancelled would have opened is closed: they are not revived any more. Answers
-- of how many, _most at most. A part of cancel_workflow(). Walks dead_jobs_workflow; O(dead log n).
create or replace function pgqueue.close_behind_dead(_id uuid, _most int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _ids uuid[];
  _workflows uuid[];
  _links text[];
begin
  select array_agg(d.id), array_agg(d.workflow_id), array_agg(d.links)
  into _ids, _workflows, _links
  from (
    select d.id, d.workflow_id, pgqueue.links_called_off(d.success_links, null)::text as links
    from pgqueue.dead_jobs as d
    where d.workflow_id = _id and d.success_links <> '{}'
    order by d.node, d.id
    limit _most
    for update skip locked) as d;
  if _ids is null then
    return 0;
  end if;
  update pgqueue.dead_jobs as d set success_links = '{}' where d.id = any (_ids);
  perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
  return cardinality(_ids);
end $$;
