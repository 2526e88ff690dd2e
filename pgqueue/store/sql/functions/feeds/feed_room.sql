-- How many jobs of a feed have not ended, at most: counted no further than to learn that `_wanted` more fit into the
-- buffer, the oldest first, and ids of those that ended are forgotten. So one look costs as many probes of jobs_pkey as
-- jobs of the feed were alive at the last, and mostly those of a batch. Null if somebody else feeds it now.
-- Walks feeds_pkey, feed_batches_pkey, jobs_pkey; O(buffer log n).
create or replace function pgqueue.feed_room(_name text, _feeder bigint, _buffer int, _wanted int) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _total bigint := coalesce(
    (select sum(cardinality(old.ids)) from pgqueue.feed_batches as old where old.feed = _name), 0);
  _batch record;
  _alive uuid[];
begin
  perform from pgqueue.feeds as mine where mine.name = _name and mine.feeder = _feeder;
  if not found then
    return null;
  end if;
  if _total + _wanted <= _buffer then
    return _total;
  end if;
  for _batch in
    select old.batch, old.ids from pgqueue.feed_batches as old where old.feed = _name order by old.batch
  loop
    _alive := array(select job.id from pgqueue.jobs as job where job.id = any (_batch.ids));
    if _alive = '{}' then
      delete from pgqueue.feed_batches as old where old.feed = _name and old.batch = _batch.batch;
    elsif cardinality(_alive) < cardinality(_batch.ids) then
      update pgqueue.feed_batches as old set ids = _alive where old.feed = _name and old.batch = _batch.batch;
    end if;
    _total := _total - cardinality(_batch.ids) + cardinality(_alive);
    exit when _total + _wanted <= _buffer;
  end loop;
  return _total;
end $$;
