-- The ended attempts, without what they carry for who may not read that (sees_payloads.sql): its listings read this.
-- The planner writes the table into whoever asks; what is new in the table comes last here, too.
create or replace view pgqueue.attempts_shown as
  select ended.job_id, ended.started_at, ended.finished_at, ended.worker, ended.claim, ended.attempt, ended.outcome,
         ended.queue, ended.target, ended.error_type, ended.error, ended.traceback, ended.created_at, ended.run_at,
         ended.priority, ended.max_attempts,
         case when pgqueue.sees_payloads() or ended.args is null then ended.args
              else '"(not shown: this role may not read what jobs carry)"' end as args,
         ended.labels, ended.unique_key, ended.limit_key, ended.headers, ended.cause, ended.fallen_from,
         ended.workflow_id, ended.node
  from pgqueue.attempts as ended;
