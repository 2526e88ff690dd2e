-- The numbers of the slots in the order in which a claim is to take from them: first by _ranks, then by priority, and
-- by how long their heads have waited. With _ageing a level of priority is worth so many seconds of waiting.
-- The slots and their bounds are those of step(). A head counts even if this worker passes it by: it only looks.
-- Walks jobs_claim once per slot; O(slots log n).
create or replace function pgqueue.order_slots(
  _queues text[], _priorities smallint[], _after timestamptz[], _after_ids uuid[], _lag interval, _ranks int[],
  _ageing float8[])
returns int[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
begin
  return (
    select array_agg(slot.n order by slot.rank, case when slot.ageing is null then -slot.priority end,
                     extract(epoch from head.run_at) - slot.priority * coalesce(slot.ageing, 0))
    from unnest(_queues, _priorities, _after, _after_ids, _ranks, _ageing)
      with ordinality as slot (queue, priority, after_at, after_id, rank, ageing, n)
    left join lateral (
      select j.run_at from pgqueue.jobs as j
      where j.worker is null and j.lane is null and j.queue = slot.queue and j.priority = slot.priority
        and j.run_at <= now() and (j.run_at, j.id) > (
          least(slot.after_at, now()) - _lag,
          case when _lag = '0' and slot.after_at <= now() then slot.after_id
               else '00000000-0000-0000-0000-000000000000' end)
      order by j.run_at, j.id limit 1) as head on true);
end $$;
