-- As forget_dead, for callers of the last release, which begin at the oldest each time: it cannot stop half-way.
-- Their attempts stay in the history until they are pruned.
-- Walks dead_jobs_pkey and filters; O(batch log n) without a queue or target, else at worst all dead jobs.
create or replace function pgqueue.purge_dead(_queue text, _target text, _before timestamptz, _limit int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _count int;
  _workflows uuid[];
  _links text[];
begin
  perform pgqueue.note_act('dead purge', coalesce(_queue, _target));
  with gone as (
  delete from pgqueue.dead_jobs as dead
  where dead.id = any (array(
    select d.id
    from pgqueue.dead_jobs as d
    where d.died_at <= _before
      and (_queue is null or d.queue = _queue)
      and (_target is null or d.target = _target)
    order by d.id
    limit _limit
    for update skip locked))
    returning dead.workflow_id, dead.success_links
  )
  select count(*), array_agg(gone.workflow_id) filter (where gone.success_links is not null),
         array_agg(pgqueue.links_called_off(gone.success_links, null)::text) filter (where gone.success_links is not null)
  into _count, _workflows, _links
  from gone;
  if _workflows is not null then
    perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
  end if;
  return _count;
end $$;
