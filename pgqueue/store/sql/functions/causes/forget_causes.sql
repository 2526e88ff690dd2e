-- Forget causes that nobody has met for half a year, nor said anything of; at most _most, from a place taken by chance.
-- Answers how many. Walks causes_first, tallies_cause and dead_jobs_cause; O(_most log n).
create or replace function pgqueue.forget_causes(_most int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _from constant timestamptz := now() - random() * interval '2 years' - interval '180 days';
  _gone int;
begin
  delete from pgqueue.causes as known
  where known.cause = any (array(
    select old.cause
    from (
      select c.cause, c.title, c.note, c.assignee, c.resolved_at from pgqueue.causes as c
      where c.first_at > _from and c.first_at < now() - interval '180 days'
      order by c.first_at limit _most) as old
    where coalesce(old.title, old.note, old.assignee, old.resolved_at::text) is null
      and not exists (select from pgqueue.dead_jobs as d where d.cause = old.cause offset 0)
      and not exists (
        select from pgqueue.tallies as t where t.cause = old.cause and t.minute > now() - interval '180 days' offset 0)));
  get diagnostics _gone = row_count;
  return _gone;
end $$;
