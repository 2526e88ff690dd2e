-- Nodes of a workflow in order, at most _limit behind _after, and where the jobs of each are, of the first _most in each
-- place. Where one holds more, `exact` is false, and the state of a node of which nothing was seen null. What was added to
-- a node while it ran counts as its own. `state` is that of the jobs that say most: dead, running, manual, retrying,
-- ready, scheduled, waiting, cancelled; `open` where more may be added; and succeeded where none of them is left.
-- Walks nodes_pkey, jobs_workflow, waiting_pkey, dead_jobs_workflow, attempts_called_off; O(_limit + _most).
create or replace function pgqueue.workflow_node_states(_id uuid, _after int, _limit int, _most int)
returns table (
  node int, name text, target text, needs int[], repairs int[], optional boolean, callback boolean, job_id uuid,
  state text, total bigint, succeeded bigint, running bigint, ready bigint, retrying bigint, scheduled bigint,
  manual bigint, waiting bigint, dead bigint, cancelled bigint, exact boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := statement_timestamp();
  _shown int[];
  _numbers int[];
  _of int[];
  _totals int[];
begin
  _shown := array(
    select n.node from pgqueue.nodes as n
    where n.workflow_id = _id and n.node > _after and n.extends is null
    order by n.node limit _limit);
  -- By a join: an array would be looked through for each of them.
  select array_agg(n.node), array_agg(n.of), array_agg(n.total) into _numbers, _of, _totals
  from (
    select n.node, coalesce(n.extends, n.node) as of, n.total from pgqueue.nodes as n
    where n.workflow_id = _id order by n.node limit 20000) as n
  join unnest(_shown) as shown (node) on shown.node = n.of;
  return query
  with said as materialized (
    select * from unnest(_numbers, _of, _totals) as said (node, of, total)
  ), seen as materialized (
    (select job.node, case when job.worker >= 0 then 'running' when job.worker = -1 then 'manual'
                           when job.run_at <= _now then 'ready' when job.attempt > 0 then 'retrying'
                           else 'scheduled' end as state
     from pgqueue.jobs as job
     where job.workflow_id = _id and job.node = any (_numbers) order by job.node limit _most)
    union all
    (select w.node, 'waiting' from pgqueue.waiting as w where w.workflow_id = _id order by w.gate limit _most)
    union all
    (select d.node, 'dead' from pgqueue.dead_jobs as d
     where d.workflow_id = _id and d.node = any (_numbers) order by d.node limit _most)
    union all
    (select a.node, 'cancelled' from pgqueue.attempts as a
     where a.workflow_id = _id and a.outcome = 'cancelled' and a.node = any (_numbers) order by a.node limit _most)
  ), bounded as (
    select coalesce(max(place.n), 0) < _most as exact
    from (
      select count(*) as n from seen
      group by case when seen.state in ('waiting', 'dead', 'cancelled') then seen.state else 'live' end) as place
  ), known as (
    select said.of as node, count(seen.state) as n,
           count(*) filter (where seen.state = 'running') as running,
           count(*) filter (where seen.state = 'ready') as ready,
           count(*) filter (where seen.state = 'retrying') as retrying,
           count(*) filter (where seen.state = 'scheduled') as scheduled,
           count(*) filter (where seen.state = 'manual') as manual,
           count(*) filter (where seen.state = 'waiting') as waiting,
           count(*) filter (where seen.state = 'dead') as dead,
           count(*) filter (where seen.state = 'cancelled') as cancelled
    from said join seen on seen.node = said.node
    group by said.of
  ), sums as (
    select said.of as node, sum(said.total)::bigint as total from said group by said.of
  )
  select n.node, n.name, n.target, n.needs, n.repairs, n.optional, n.callback, n.job_id,
         case when known.dead > 0 then 'dead' when known.running > 0 then 'running' when known.manual > 0 then 'manual'
              when known.retrying > 0 then 'retrying' when known.ready > 0 then 'ready'
              when known.scheduled > 0 then 'scheduled' when known.waiting > 0 then 'waiting'
              when n.open then 'open' when known.cancelled > 0 then 'cancelled' when bounded.exact then 'succeeded' end,
         sums.total, case when bounded.exact then greatest(0, sums.total - coalesce(known.n, 0)) end,
         coalesce(known.running, 0), coalesce(known.ready, 0), coalesce(known.retrying, 0),
         coalesce(known.scheduled, 0), coalesce(known.manual, 0), coalesce(known.waiting, 0), coalesce(known.dead, 0),
         coalesce(known.cancelled, 0), bounded.exact
  from pgqueue.nodes as n
  cross join bounded
  join sums on sums.node = n.node
  left join known on known.node = n.node
  where n.workflow_id = _id and n.node = any (_shown)
  order by n.node;
end $$;
