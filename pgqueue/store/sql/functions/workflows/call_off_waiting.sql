-- waiting -> cancelled for these jobs of workflows, those that wait at a gate and that nobody has in hand: their links
-- count as those of members that were cancelled. Answers how many. Walks waiting_id; O(batch log n).
create or replace function pgqueue.call_off_waiting(_ids uuid[], _why text) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _gone uuid[];
  _workflows uuid[];
  _links text[];
  _followed json;
begin
  with gone as (
    delete from pgqueue.waiting as w where w.id = any (_ids) returning w.*
  ), recorded as (
    insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, error, created_at, priority,
                                  max_attempts, args, labels, limit_key, headers, workflow_id, node, tenant)
    select gone.id, 1, 0, 'cancelled', coalesce(gone.queue, pgqueue.route(gone.target)), gone.target, _why,
           gone.created_at, gone.priority, gone.max_attempts, gone.args, gone.labels, gone.limit_key, gone.headers,
           gone.workflow_id, gone.node, gone.tenant
    from gone
    on conflict do nothing
  )
  select coalesce(array_agg(gone.id), '{}'), array_agg(gone.workflow_id),
         array_agg(pgqueue.links_called_off(gone.success_links, gone.failure_links)::text),
         json_agg(json_build_object(
           'id', gone.id, 'target', gone.target, 'follow_ups', gone.follow_ups, 'state', 'cancelled',
           'reason', coalesce(_why, 'cancelled before it ran'), 'headers', gone.headers))
           filter (where gone.follow_ups is not null or gone.target in (select f.target from pgqueue.follow_ups as f))
  into _gone, _workflows, _links, _followed
  from gone;
  if _gone = '{}' then
    return 0;
  end if;
  if _followed is not null then
    perform pgqueue.follow_up(_followed);
  end if;
  perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
  perform pgqueue.wake_waiters(_gone);
  return cardinality(_gone);
end $$;
