-- The shares of jobs that stopped running go back: rows of their own alone, so nothing is waited for. An idle worker
-- is told, as of a new job. Walks holds_pkey; O(batch log n).
create or replace function pgqueue.let_go(_queues text[], _targets text[], _keys text[], _seqs bigint[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
as $$
begin
  delete from pgqueue.holds as h
  where h.ctid = any (array(
    select held.ctid
    from unnest(_queues, _targets, _keys, _seqs) as freed (queue, target, key, seq)
    cross join lateral (
      select own.ctid from pgqueue.holds as own
      where own.name = any (array['k:' || freed.key, 't:' || freed.target, 'q:' || freed.queue])
        and own.seq = freed.seq
      offset 0) as held));
  perform pgqueue.wake(freed.queue) from (select distinct unnest(_queues) as queue) as freed;
end $$;
