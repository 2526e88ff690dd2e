-- The table of jobs, without what they carry for who may not read that (sees_payloads.sql): its listings read this.
-- The planner writes the table into whoever asks; what is new in the table comes last here, too.
create or replace view pgqueue.jobs_shown as
  select job.id, job.run_at, job.created_at, job.expires_at, job.started_at, job.worker, job.timeout, job.claim,
         job.priority, job.attempt, job.crashes, job.max_attempts, job.store_result, job.queue, job.target,
         case when pgqueue.sees_payloads() then job.args
              else '"(not shown: this role may not read what jobs carry)"' end as args,
         job.unique_key, job.limit_key, job.labels, job.avoid_host, job.start_key, job.lane, job.lined, job.hold,
         job.cost, job.headers, case when pgqueue.sees_payloads() then job.follow_ups end as follow_ups,
         job.fallen_from, job.own_terms, job.workflow_id, job.node, job.success_links, job.failure_links
  from pgqueue.jobs as job;
