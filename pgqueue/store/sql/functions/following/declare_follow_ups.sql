-- A worker says what follows the jobs of its tasks (_said, by target), and which of them (_others) have nothing that
-- does: what was said of those before goes. Of workers that say different things of a target the last holds.
-- Walks follow_ups_pkey; O(targets log n).
create or replace function pgqueue.declare_follow_ups(_targets text[], _said text[], _others text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  -- In order, so that two workers do not deadlock.
  insert into pgqueue.follow_ups as known (target, said)
  select told.target, told.said::json
  from unnest(_targets, _said) as told (target, said)
  order by told.target collate "C"
  on conflict (target) do update set said = excluded.said, declared_at = clock_timestamp()
  where known.said::text <> excluded.said::text;
  if exists (select from pgqueue.follow_ups) then
    delete from pgqueue.follow_ups as known
    where known.target = any (array(
      select f.target from pgqueue.follow_ups as f where f.target = any (_others) order by f.target for update));
  end if;
end $$;
