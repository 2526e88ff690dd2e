-- Those of these jobs that hold an ordered lane: as long as one is retried, nothing behind it starts. With _stop only
-- those whose lane stops if they die (on_dead). None while no rule is ordered. Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.ordered_among(_ids uuid[], _stop boolean) returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  if not exists (select from pgqueue.limits as l where l.ordered) then
    return '{}';
  end if;
  return array(
    select job.id
    from unnest(_ids) as named (id)
    cross join lateral (
      select j.id, j.limit_key from pgqueue.jobs as j
      where j.id = named.id and j.hold is not null and j.limit_key is not null
      offset 0) as job
    cross join lateral pgqueue.rule_of_key(job.limit_key) as rule
    where rule.ordered and (not _stop or rule.on_dead = 'stop'));
end $$;
