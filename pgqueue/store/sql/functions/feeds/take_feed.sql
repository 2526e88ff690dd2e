-- A process becomes the feeder of a feed, which is made if there is none: whoever fed it before is told so at its next
-- batch. Refused (`taken` false) while another session feeds it, for another source than it has, and where it is
-- finished, unless `_again` starts it over. Who feeds it holds the advisory lock (7704, number of the feed), but behind a
-- pooler, where a session is nobody's: there the last who came feeds.
-- Walks feeds_pkey; O(1).
create or replace function pgqueue.take_feed(
  _name text, _source text, _target text, _buffer int, _feeder bigint, _host text, _pid int, _pooled boolean,
  _again boolean
) returns table (taken boolean, feed pgqueue.feeds)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pgqueue.feeds (name, source, target, buffer)
  values (_name, _source, _target, _buffer)
  on conflict (name) do nothing;
  select found.* into feed from pgqueue.feeds as found where found.name = _name;
  taken := feed.source = _source and (_pooled or pg_try_advisory_lock(7704, feed.number));
  if not taken then
    return next;
    return;
  end if;
  update pgqueue.feeds as mine
  set target = _target, buffer = _buffer, feeder = _feeder, host = _host, pid = _pid, pooled = _pooled, error = null,
      items = case when _again then 0 else mine.items end,
      cursor = case when _again then null else mine.cursor end,
      finished_at = null
  where mine.name = _name and (_again or mine.finished_at is null)
  returning mine.* into feed;
  taken := found;
  if not taken then
    -- Finished, in this moment perhaps; or removed.
    select mine.* into feed from pgqueue.feeds as mine where mine.name = _name;
  end if;
  return next;
end $$;
