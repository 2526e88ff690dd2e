-- How many jobs a workflow has, and where they are; each place is counted up to _most. Where one holds more, `exact` is
-- false, and `succeeded`, which is what is left of all, null. Walks nodes_pkey, jobs_workflow, waiting_pkey,
-- dead_jobs_workflow, attempts_called_off; O(_most).
create or replace function pgqueue.workflow_counts(_id uuid, _most int)
returns table (
  nodes bigint, total bigint, succeeded bigint, running bigint, pending bigint, waiting bigint, dead bigint,
  cancelled bigint, exact boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
  select count(*) filter (where n.extends is null), coalesce(sum(n.total), 0) into nodes, total
  from (select n.total, n.extends from pgqueue.nodes as n where n.workflow_id = _id order by n.node limit 20000) as n;
  select count(*) filter (where live.worker >= 0), count(*) filter (where live.worker is null or live.worker < 0)
  into running, pending
  from (select job.worker from pgqueue.jobs as job where job.workflow_id = _id order by job.node limit _most) as live;
  select count(*) into waiting
  from (select from pgqueue.waiting as w where w.workflow_id = _id limit _most) as held;
  select count(*) into dead
  from (select from pgqueue.dead_jobs as d where d.workflow_id = _id limit _most) as ended;
  select count(*) into cancelled
  from (
    select from pgqueue.attempts as a
    where a.workflow_id = _id and a.outcome = 'cancelled' limit _most) as off;
  exact := nodes < 20000 and running + pending < _most and greatest(waiting, dead, cancelled) < _most;
  succeeded := case when exact then greatest(0, total - running - pending - waiting - dead - cancelled) end;
  return next;
end $$;
