-- One row a job, whatever its state. By id, also of a join, it walks primary keys; in order of id it stops at a limit.
-- Each branch is a table without a WHERE, so that the planner pulls it up and puts what is asked for into its scan.
-- `others` are the states that a table cannot hold: from them the planner proves that it need not read that table.
-- The time is a sub-select, because of an expression with a function like now() in it the planner proves nothing.
-- `shown` is null for attempts that ended no job; asked for so, it does not make the planner think that few are left.
create or replace view pgqueue.job as
  select one.id, one.queue, one.target,
         case when pgqueue.sees_payloads() or one.args is null then one.args
             
              else '"(not shown: this role may not read what jobs carry)"' end as args,
         one.state, one.priority, one.attempt, one.max_attempts,
         one.created_at, one.run_at, one.started_at, one.finished_at, one.worker, one.unique_key, one.limit_key,
         one.labels, one.last_error, one.reason, one.unknown_since, one.cost, one.parent_id, one.root_id,
         one.degraded, one.fallen_from, one.tenant
  from (
    select job.id, job.queue, job.target, job.args,
           case when job.worker >= 0 then 'running'
                when job.worker = -1 then 'manual'
                when job.run_at <= (select statement_timestamp()) then 'ready'
                when job.attempt > 0 then 'retrying'
                else 'scheduled' end as state,
           job.priority, job.attempt, job.max_attempts, job.created_at, job.run_at, job.started_at,
           null::timestamptz as finished_at, nullif(job.worker, -1) as worker, coalesce(job.start_key, job.unique_key) as unique_key,
           job.limit_key, job.labels,
           (select concat_ws(': ', last.error_type, nullif(last.error, ''))
            from pgqueue.attempts as last
            where last.job_id = job.id and last.error is not null
              and (last.outcome <> 'released' or last.error_type is not null)
            order by last.claim desc limit 1) as last_error,
           null::text as reason,
           -- Since when no live worker has known its target.
           (select parked.since from pgqueue.parked as parked
            where parked.job_id = job.id and parked.claim = job.claim and job.worker is null) as unknown_since,
           job.cost,
           -- Of a job that another one brought.
           (select line.parent_id from pgqueue.lineage as line where line.job_id = job.id) as parent_id,
           (select line.root_id from pgqueue.lineage as line where line.job_id = job.id) as root_id,
           job.fallen_from is not null as degraded, job.fallen_from, job.tenant, true as shown,
           '{waiting,succeeded,cancelled,dead}'::text[] as others
    from pgqueue.jobs as job
    union all
    select ended.job_id, ended.queue, ended.target, ended.args, ended.outcome collate "default", ended.priority,
           ended.attempt, ended.max_attempts, ended.created_at, ended.run_at, ended.started_at, ended.finished_at,
           null, ended.unique_key, ended.limit_key, ended.labels, null,
           case when ended.outcome = 'cancelled' then coalesce(ended.error, 'cancelled before it ran') end,
           null, null,
           (select line.parent_id from pgqueue.lineage as line where line.job_id = ended.job_id),
           (select line.root_id from pgqueue.lineage as line where line.job_id = ended.job_id),
           ended.fallen_from is not null, ended.fallen_from, ended.tenant,
           case when ended.outcome in ('succeeded', 'cancelled') then true end,
           '{waiting,scheduled,ready,running,retrying,manual,dead}'
    from pgqueue.attempts as ended
    union all
    select dead.id, dead.queue, dead.target, dead.args, 'dead', dead.priority, dead.attempt, dead.max_attempts,
           dead.created_at, dead.run_at, dead.started_at, dead.died_at, null, dead.unique_key, dead.limit_key,
           dead.labels, nullif(concat_ws(': ', dead.error_type, nullif(dead.error, '')), ''), dead.reason,
           null, dead.cost,
           (select line.parent_id from pgqueue.lineage as line where line.job_id = dead.id),
           (select line.root_id from pgqueue.lineage as line where line.job_id = dead.id),
           dead.fallen_from is not null, dead.fallen_from, dead.tenant,
           true, '{waiting,scheduled,ready,running,retrying,manual,succeeded,cancelled}'
    from pgqueue.dead_jobs as dead
    union all
    -- At a gate of its workflow.
    select w.id, coalesce(w.queue, pgqueue.route(w.target)), w.target, w.args, 'waiting',
           coalesce(w.priority, 5::smallint), 0::smallint, w.max_attempts, w.created_at, w.run_at, null, null, null, null,
           w.limit_key, w.labels, null, null, null, w.cost, null, null, false, null, w.tenant, true,
           '{scheduled,ready,running,retrying,manual,succeeded,cancelled,dead}'
    from pgqueue.waiting as w) as one
  where one.shown is not null and one.state <> all (one.others);
