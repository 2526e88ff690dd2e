-- The ledger of effects, without what came of them for who may not read that (sees_payloads.sql). Listings read this.
-- The planner writes the table into whoever asks; what is new in the table comes last here, too.
create or replace view pgqueue.effects_shown as
  select e.scope, e.key, e.state, e.reserved_at, e.done_at, e.expires_at, e.target, e.job_id, e.worker, e.claim,
         e.attempt,
         case when pgqueue.sees_payloads() or e.value is null then e.value
              else '"(not shown: this role may not read what jobs carry)"' end as value
  from pgqueue.effects as e;
