-- A feeder ends: the feed is finished, or stands where it is until somebody goes on with it.
-- Fenced: changes nothing if somebody else feeds it now; answers whether it did.
-- Walks feeds_pkey, feed_batches_pkey; O(batches).
create or replace function pgqueue.leave_feed(_name text, _feeder bigint, _finished boolean, _error text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update pgqueue.feeds as mine
  set feeder = null, host = null, pid = null, error = _error,
      finished_at = case when _finished then now() end
  where mine.name = _name and mine.feeder = _feeder;
  if not found then
    return false;
  end if;
  if _finished then
    delete from pgqueue.feed_batches as old where old.feed = _name;
  end if;
  return true;
end $$;
