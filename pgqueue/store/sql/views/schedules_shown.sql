-- The schedules, without what they carry for who may not read that (sees_payloads.sql): its listings read this.
-- The planner writes the table into whoever asks; what is new in the table comes last here, too.
create or replace view pgqueue.schedules_shown as
  select s.name, s.cron, s.every, s.timezone, s.jitter, s.catch_up, s.cap, s.grace, s.overlap, s.target,
         case when pgqueue.sees_payloads() then s.args
              else '"(not shown: this role may not read what jobs carry)"' end as args,
         s.queue, s.priority, s.ttl, s.timeout, s.max_attempts, s.unique_key, s.unique_until, s.unique_for,
         s.on_conflict, s.max_wait, s.limit_key, s.cost, s.store_result, s.labels, s.source, s.paused_by, s.fault,
         s.tzdata, s.created_at, s.last_at, s.next_at, s.last_job
  from pgqueue.schedules as s;
