-- A feeder that has lost its session goes on in this one: answers how many items have been fed, which tells whether its
-- last batch was committed; null if the feed is not its own any more; -1 while the lost session still holds the lock.
-- Walks feeds_pkey; O(1).
create or replace function pgqueue.hold_feed(_name text, _feeder bigint, _pooled boolean) returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
  select case when _pooled or pg_try_advisory_lock(7704, mine.number) then mine.items else -1 end
  from pgqueue.feeds as mine
  where mine.name = _name and mine.feeder = _feeder;
$$;
