-- dead -> (forgotten), for these jobs; one that somebody has locked is passed. Answers how many went, and the causes that
-- they died of. Their attempts stay in the history; an ordered lane that had stopped for one goes on, and what waited in a
-- workflow for its success is cancelled. Walks dead_jobs_pkey; O(batch log n).
create or replace function pgqueue.forget_dead_jobs(_ids uuid[], out forgotten int, out causes text[])
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _queues text[];
  _targets text[];
  _keys text[];
  _holds bigint[];
  _workflows uuid[];
  _links text[];
begin
  with gone as (
    delete from pgqueue.dead_jobs as dead
    where dead.id = any (array(
      select d.id
      from pgqueue.dead_jobs as d
      where d.id = any (_ids)
      order by d.id
      for update skip locked))
    returning dead.queue, dead.target, dead.limit_key, dead.hold, dead.workflow_id, dead.success_links, dead.cause
  )
  select count(*), array_agg(distinct gone.cause) filter (where gone.cause is not null),
         array_agg(gone.queue) filter (where gone.hold is not null),
         array_agg(gone.target) filter (where gone.hold is not null),
         array_agg(gone.limit_key) filter (where gone.hold is not null),
         array_agg(gone.hold) filter (where gone.hold is not null),
         array_agg(gone.workflow_id) filter (where gone.success_links is not null),
         array_agg(pgqueue.links_called_off(gone.success_links, null)::text) filter (where gone.success_links is not null)
  into forgotten, causes, _queues, _targets, _keys, _holds, _workflows, _links
  from gone;
  if _holds is not null then
    perform pgqueue.let_go(_queues, _targets, _keys, _holds);
  end if;
  if _workflows is not null then
    -- Nobody can revive them any more.
    perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
  end if;
end $$;
