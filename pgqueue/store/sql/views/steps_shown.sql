-- What durable functions have done, without what came of it for who may not read that (sees_payloads.sql).
-- The planner writes the table into whoever asks; what is new in the table comes last here, too.
create or replace view pgqueue.steps_shown as
  select s.job_id, s.kind, s.name, s.nth, s.at, s.claim, s.until,
         case when pgqueue.sees_payloads() or s.result is null then s.result
              else '"(not shown: this role may not read what jobs carry)"' end as result,
         case when pgqueue.sees_payloads() then s.undo end as undo
  from pgqueue.steps as s;
