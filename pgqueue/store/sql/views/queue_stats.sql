-- One row a queue: how many of its jobs are in each state that has not ended, and how long the oldest has waited.
-- Exact for up to about 20,000 jobs in all; `estimated` names the numbers that are not.
create or replace view pgqueue.queue_stats as
  select depth.queue collate "C" as queue, depth.ready, depth.scheduled, depth.running, depth.retrying, depth.dead,
         depth.oldest_ready_age, depth.paused, depth.ahead, depth.estimated,
         case when depth.paused then settings.paused_until end as paused_until
  from pgqueue.queue_depths(null, 20000) as depth
  left join pgqueue.queues as settings on settings.name = depth.queue;
