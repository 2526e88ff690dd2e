-- A batch of jobs was enqueued in this transaction: the feed has come so much further.
-- Fenced: answers false, and changes nothing, if somebody else feeds it now; the caller then rolls back.
-- Walks feeds_pkey; O(1), and 16 bytes a job.
create or replace function pgqueue.forward_feed(_name text, _feeder bigint, _cursor json, _ids uuid[]) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _items bigint;
begin
  update pgqueue.feeds as mine
  set items = mine.items + cardinality(_ids), cursor = _cursor, fed_at = now()
  where mine.name = _name and mine.feeder = _feeder
  returning mine.items into _items;
  if not found then
    return false;
  end if;
  -- After `_again` older batches of these numbers may be there.
  insert into pgqueue.feed_batches as batch (feed, batch, ids) values (_name, _items, _ids)
  on conflict on constraint feed_batches_pkey do update set ids = batch.ids || excluded.ids;
  return true;
end $$;
