-- How full each of the queues $1 is (null: of all), and who holds its jobs. Exact for about $2 jobs in all: see
-- queue_depths.sql.
select depth.queue, depth.ready, depth.scheduled, depth.running, depth.retrying, depth.dead, depth.oldest_ready_age,
       depth.paused, depth.ahead, depth.estimated, case when depth.paused then settings.paused_until end,
       settings.timeout, settings.max_attempts::int, settings.priority::int, settings.ageing, settings.allow,
       depth.holders
from pgqueue.queue_depths($1::text[], $2::int) as depth
left join pgqueue.queues as settings on settings.name = depth.queue
order by depth.queue
