-- The results, without what they carry for who may not read that (sees_payloads.sql): its listings read this.
-- The planner writes the table into whoever asks; what is new in the table comes last here, too.
create or replace view pgqueue.results_shown as
  select r.job_id, r.expires_at,
         case when pgqueue.sees_payloads() then r.result
              else '"(not shown: this role may not read what jobs carry)"' end as result,
         r.workflow_id, r.node
  from pgqueue.results as r;
