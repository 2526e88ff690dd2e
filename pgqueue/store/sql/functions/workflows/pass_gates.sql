-- waiting -> ready | scheduled for what waits at gates that are complete (_off 0), waiting -> cancelled at those that are
-- pointless (1), or that failed (2): a part of advance(), whose caller has locked them. What its queue does not take any
-- more is cancelled, too (allow_targets.sql), as what had failed. A gate goes with the last that
-- waits there; at most _most jobs are moved, and one that somebody else has in hand is passed by: then the gate stays, and
-- a row of `arrivals` has somebody come back to it.
-- Answers how many were moved, and what counts next, as advance() takes it.
-- Walks gates_pkey, waiting_pkey; O(moved log n).
create or replace function pgqueue.pass_gates(
  _workflows uuid[], _gates int[], _off int[], _due timestamptz, _most int,
  out jobs int, out workflow_ids uuid[], out gates int[], out counts int[])
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  -- Of these nothing is released any more.
  _unwanted constant uuid[] := array(
    select w.id from pgqueue.workflows as w where w.id = any (_workflows) and w.asked = 'cancel');
  _filled constant boolean := pgqueue.is_filled();
  -- Where none says what it takes, nothing is asked for each job.
  _allowing constant boolean := exists (select from pgqueue.queues as q where q.allow is not null);
  _link_workflows uuid[];
  _links int[];
  _counts int[];
  _queues text[];
  _ended uuid[];
  _followed json;
begin
  -- Branches for one error, which came to another end.
  select array_agg(case when held.off = 0 and g.failed_id is not null and (
                          case when g.errors is null then d.id is null
                               else coalesce(d.error_type = any (g.errors), false) <> coalesce(g.others, false)
                                 and d.id is not null end) is not true then 1 else held.off end
                   order by held.n)
  into _off
  from unnest(_workflows, _gates, _off) with ordinality as held (workflow_id, gate, off, n)
  cross join lateral (
    select g.failed_id, g.errors, g.others from pgqueue.gates as g
    where g.workflow_id = held.workflow_id and g.gate = held.gate
    offset 0) as g
  left join lateral (
    select d.id, d.error_type from pgqueue.dead_jobs as d where d.id = g.failed_id offset 0) as d on true;
  -- Their own links.
  select array_agg(held.workflow_id), array_agg(case when held.off = 0 then link else -link end),
         array_agg(case when held.off = 0 and link < 0 and g.pointless then 0 else 1 end)
  into workflow_ids, gates, counts
  from unnest(_workflows, _gates, _off) as held (workflow_id, gate, off)
  cross join lateral (
    select g.links, g.pointless from pgqueue.gates as g
    where g.workflow_id = held.workflow_id and g.gate = held.gate
    offset 0) as g
  cross join lateral unnest(g.links) as link
  where held.off = 0 or held.off = 2 and link > 0;

  with gone as (
    delete from pgqueue.waiting as w
    where w.ctid = any (array(
      select here.ctid
      from unnest(_workflows, _gates) as held (workflow_id, gate)
      cross join lateral (
        select v.ctid from pgqueue.waiting as v
        where v.workflow_id = held.workflow_id and v.gate = held.gate
        limit _most
        for update skip locked) as here
      limit _most))
    returning w.*
  ), told as (
    select gone.*,
           case
             when ((gone.workflow_id, gone.gate) in (
               select held.workflow_id, held.gate from unnest(_workflows, _gates, _off) as held (workflow_id, gate, off)
               where held.off = 1)) is true then 1
             when ((gone.workflow_id, gone.gate) in (
               select held.workflow_id, held.gate from unnest(_workflows, _gates, _off) as held (workflow_id, gate, off)
               where held.off = 2)) is true then 2
             when gone.workflow_id = any (_unwanted) and not exists (
               select from pgqueue.nodes as node
               where node.workflow_id = gone.workflow_id and node.node = gone.node and node.callback offset 0) then 2
             when _allowing and not pgqueue.is_allowed(coalesce(gone.queue, pgqueue.route(gone.target)), gone.target)
               then 3
             else 0 end as off,
           greatest(gone.run_at, _due + make_interval(secs => least(coalesce(gone.delay, 0), 3.2e9))) as due
    from gone
  ), released as (
    insert into pgqueue.jobs (id, created_at, run_at, expires_at, timeout, priority, max_attempts, store_result, queue,
                              target, args, limit_key, cost, labels, headers, follow_ups, workflow_id, node,
                              success_links, failure_links, tenant)
    select told.id, told.created_at, told.due, told.due + make_interval(secs => case when told.ttl is not null then least(told.ttl, 3.2e9) end), told.timeout,
           coalesce(told.priority, case when not _filled then 5::smallint end), told.max_attempts, told.store_result,
           coalesce(told.queue, case when not _filled then 'default' end), told.target,
           case when told.inputs is null then told.args
                else pgqueue.filled_args(told.args, told.inputs, told.workflow_id) end,
           told.limit_key, told.cost, told.labels, told.headers, told.follow_ups, told.workflow_id, told.node,
           told.success_links, told.failure_links, told.tenant
    from told
    where told.off = 0
    on conflict do nothing
    returning jobs.queue, jobs.run_at
  ), called_off as (
    insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, error, created_at, priority,
                                  max_attempts, args, labels, limit_key, headers, workflow_id, node,
                                  tenant)
    select told.id, 1, 0, 'cancelled', coalesce(told.queue, pgqueue.route(told.target)), told.target,
           case when told.off = 1 then 'not needed: its workflow took another branch'
                when told.off = 3 then 'its queue takes no job of its target any more'
                when told.workflow_id = any (_unwanted) then 'its workflow was cancelled'
                else 'what it waited for did not succeed' end,
           told.created_at, told.priority, told.max_attempts, told.args, told.labels, told.limit_key, told.headers,
           told.workflow_id, told.node, told.tenant
    from told
    where told.off > 0
    on conflict do nothing
  ), links as (
    select told.workflow_id, link
    from told
    cross join lateral unnest(case
      when told.off > 1 then pgqueue.links_called_off(told.success_links, told.failure_links)
      else array(
        select link from unnest(told.success_links) as link where link > 0 and link = any (told.failure_links)) end) as link
    where told.off > 0
  )
  select (select count(*) from told),
         (select array_agg(distinct released.queue) from released
          where released.run_at <= clock_timestamp() + interval '10 seconds'),
         array_agg(told.id) filter (where told.off > 0),
         json_agg(json_build_object(
           'id', told.id, 'target', told.target, 'follow_ups', told.follow_ups, 'state', 'cancelled',
           'reason', 'cancelled before it ran', 'headers', told.headers))
           filter (where told.off > 0 and (
                     told.follow_ups is not null or told.target in (select f.target from pgqueue.follow_ups as f))),
         (select array_agg(links.workflow_id) from links), (select array_agg(links.link) from links)
  into jobs, _queues, _ended, _followed, _link_workflows, _links
  from told;
  perform pgqueue.wake(told.queue) from unnest(_queues) as told (queue);
  if _followed is not null then
    perform pgqueue.follow_up(_followed);
  end if;
  if _ended is not null then
    perform pgqueue.wake_waiters(_ended);
  end if;
  if _links is not null then
    workflow_ids := coalesce(workflow_ids, '{}') || _link_workflows;
    gates := coalesce(gates, '{}') || _links;
    counts := coalesce(counts, '{}') || array_fill(1, array[cardinality(_links)]);
  end if;
  perform pgqueue.drop_gates(_workflows, _gates, _off, jobs > 0);
end $$;
