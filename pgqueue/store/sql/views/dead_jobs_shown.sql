-- The dead jobs, without what they carry for who may not read that (sees_payloads.sql): its listings read this.
-- The planner writes the table into whoever asks; what is new in the table comes last here, too.
create or replace view pgqueue.dead_jobs_shown as
  select dead.id, dead.died_at, dead.run_at, dead.created_at, dead.started_at, dead.timeout, dead.claim,
         dead.priority, dead.attempt, dead.crashes, dead.max_attempts, dead.store_result, dead.queue, dead.target,
         case when pgqueue.sees_payloads() then dead.args
              else '"(not shown: this role may not read what jobs carry)"' end as args,
         dead.unique_key, dead.limit_key, dead.labels, dead.reason, dead.error_type, dead.error, dead.traceback,
         dead.start_key, dead.hold, dead.cost, dead.headers, dead.cause,
         case when pgqueue.sees_payloads() then dead.follow_ups end as follow_ups, dead.fallen_from, dead.own_terms,
         dead.workflow_id, dead.node, dead.success_links, dead.failure_links
  from pgqueue.dead_jobs as dead;
