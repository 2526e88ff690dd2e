-- The jobs that wait at a gate, without what they carry for who may not read that (sees_payloads.sql). Listings read this.
-- The planner writes the table into whoever asks; what is new in the table comes last here, too.
create or replace view pgqueue.waiting_shown as
  select w.id, w.workflow_id, w.created_at, w.run_at, w.delay, w.ttl, w.timeout, w.gate, w.node, w.cost, w.priority,
         w.max_attempts, w.store_result, w.queue, w.target,
         case when pgqueue.sees_payloads() then w.args
              else '"(not shown: this role may not read what jobs carry)"' end as args,
         case when pgqueue.sees_payloads() then w.inputs end as inputs, w.limit_key, w.labels, w.headers,
         case when pgqueue.sees_payloads() then w.follow_ups end as follow_ups, w.success_links, w.failure_links
  from pgqueue.waiting as w;
