-- (nothing) -> waiting, or scheduled | ready, for jobs of a workflow told as JSON, with their nodes and gates: arrays
-- `nodes`, `gates`, `jobs` of objects whose names are those of the columns. A job that names a `gate` waits there; delay,
-- ttl and timeout are seconds. Numbers of nodes and gates are shifted by _base, as are those in links and inputs; an
-- `own` job, or open node, has _own_success and _own_failure among its links, a job _own_node unless it says another.
-- Answers how many jobs. O(batch log n).
create or replace function pgqueue.write_members(
  _workflow uuid, _said json, _base int default 0, _own_node int default null, _own_success int[] default null,
  _own_failure int[] default null)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _filled constant boolean := pgqueue.is_filled();
  _before constant text := pgqueue.act_for(coalesce(
    (select w.tenant from pgqueue.workflows as w where w.id = _workflow), current_setting('pgqueue.tenant', true)));
  _queues text[];
  _ready int;
  _waiting int;
begin
  insert into pgqueue.nodes (workflow_id, node, name, target, total, needs, job_id, repairs, extends, callback, optional,
                             open, success_links, failure_links)
  select _workflow, new.node + _base, new.name, new.target, coalesce(new.total, 1),
         coalesce(pgqueue.shifted(new.needs, _base), '{}'), new.job_id, pgqueue.shifted(new.repairs, _base),
         case when new.extends_own then _own_node else new.extends + _base end, coalesce(new.callback, false),
         coalesce(new.optional, false), coalesce(new.open, false),
         nullif(case when new.own then coalesce(_own_success, '{}') else '{}' end
           || coalesce(pgqueue.shifted(new.success_links, _base), '{}'), '{}'),
         nullif(case when new.own then coalesce(_own_failure, '{}') else '{}' end
           || coalesce(pgqueue.shifted(new.failure_links, _base), '{}'), '{}')
  from json_to_recordset(coalesce(_said -> 'nodes', '[]')) as new (
    node int, name text, target text, total int, needs int[], job_id uuid, repairs int[], extends int,
    extends_own boolean, own boolean, callback boolean, optional boolean, open boolean, success_links int[], failure_links int[]);
  insert into pgqueue.gates (workflow_id, gate, unmet, total, links, failed_id, errors, others)
  select _workflow, new.gate + _base, new.unmet, coalesce(new.total, new.unmet), pgqueue.shifted(new.links, _base),
         new.failed_id, new.errors, new.others
  from json_to_recordset(coalesce(_said -> 'gates', '[]')) as new (
    gate int, unmet int, total int, links int[], failed_id uuid, errors text[], others boolean);

  with told as materialized (
    select coalesce(new.id, pgqueue.uuid7()) as id, new.gate + _base as gate,
           case when new.own and new.node is null then _own_node else new.node + _base end as node,
           new.target, coalesce(new.args, '{}') as args, pgqueue.shifted_refs(new.inputs, _base) as inputs, new.queue,
           new.priority, new.delay, new.ttl, new.run_at, new.timeout, new.max_attempts, new.store_result,
           new.limit_key, new.cost, new.labels, new.headers, new.follow_ups,
           nullif(case when new.own then coalesce(_own_success, '{}') else '{}' end
             || coalesce(pgqueue.shifted(new.success_links, _base), '{}'), '{}') as success_links,
           nullif(case when new.own then coalesce(_own_failure, '{}') else '{}' end
             || coalesce(pgqueue.shifted(new.failure_links, _base), '{}'), '{}') as failure_links
    from json_to_recordset(coalesce(_said -> 'jobs', '[]')) as new (
      id uuid, gate int, node int, own boolean, target text, args json, inputs jsonb, queue text, priority smallint,
      delay float8, ttl float8, run_at timestamptz, timeout float8, max_attempts smallint, store_result boolean,
      limit_key text, cost int, labels jsonb, headers json, follow_ups json, success_links int[], failure_links int[])
  ), parked as (
    insert into pgqueue.waiting (id, workflow_id, gate, node, run_at, delay, ttl, timeout, cost, priority, max_attempts,
                                 store_result, queue, target, args, inputs, limit_key, labels, headers, follow_ups,
                                 success_links, failure_links)
    select told.id, _workflow, told.gate, told.node, told.run_at, told.delay, told.ttl, told.timeout, told.cost,
           told.priority, told.max_attempts, told.store_result, told.queue, told.target, told.args, told.inputs,
           told.limit_key, told.labels, told.headers, told.follow_ups, told.success_links, told.failure_links
    from told
    where told.gate is not null
  ), due as materialized (
    select told.*, greatest(told.run_at,
             clock_timestamp() + make_interval(secs => least(coalesce(told.delay, 0), 3.2e9))) as at
    from told
    where told.gate is null
  ), begun as (
    insert into pgqueue.jobs (id, run_at, expires_at, timeout, priority, max_attempts, store_result, queue, target, args,
                              limit_key, cost, labels, headers, follow_ups, workflow_id, node, success_links,
                              failure_links)
    select due.id, due.at, due.at + make_interval(secs => case when due.ttl is not null then least(due.ttl, 3.2e9) end), due.timeout,
           coalesce(due.priority, case when not _filled then 5::smallint end), due.max_attempts, due.store_result,
           coalesce(due.queue, case when not _filled then 'default' end), due.target,
           case when due.inputs is null then due.args else pgqueue.filled_args(due.args, due.inputs, _workflow) end,
           due.limit_key, due.cost, due.labels, due.headers, due.follow_ups, _workflow, due.node, due.success_links,
           due.failure_links
    from due
    returning jobs.queue, jobs.run_at
  )
  select count(*) filter (where told.gate is null), count(*) filter (where told.gate is not null),
         (select array_agg(distinct begun.queue) from begun
          where begun.run_at <= clock_timestamp() + interval '10 seconds')
  into _ready, _waiting, _queues
  from told;
  perform pgqueue.wake(told.queue) from unnest(_queues) as told (queue);
  -- Who cancels it has reached all that there was.
  update pgqueue.workflows as w set settled_at = null
  where w.id = _workflow and w.asked = 'cancel' and w.settled_at is not null;
  perform pgqueue.act_for(_before);
  return _ready + _waiting;
end $$;
