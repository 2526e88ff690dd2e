-- A part of keep_role_limits: refuse jobs of a queue that had none, where jobs wait in as many queues as may be.
-- Of each queue so many jobs come in this statement (_jobs): where it holds more, others were there.
-- Walks jobs_claim, jobs_lane, jobs_coming; O(jobs of the statement), and max_queues probes if a queue is new.
create or replace function pgqueue.refuse_queues(_rule pgqueue.role_limits, _queues text[], _jobs bigint[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _new text := (
    select come.queue
    from unnest(_queues, _jobs) as come (queue, jobs)
    where pgqueue.held_in(come.queue, come.jobs + 1) <= come.jobs
    limit 1);
begin
  if _new is not null
    and (select count(*) from pgqueue.first_queues(_rule.max_queues + 1)) > _rule.max_queues
  then
    perform pgqueue.refuse_limit(
      _rule.role, 'max_queues',
      format('enqueue into the new queue %s while jobs wait in %s queues', quote_literal(left(_new, 80)), _rule.max_queues),
      'enqueue into a queue that is there, or wait until one has run empty', null);
  end if;
end $$;
