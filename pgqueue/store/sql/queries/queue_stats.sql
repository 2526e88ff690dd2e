-- How full each of the queues $1 is (null: of all), and who holds its jobs. Exact for about $2 jobs in all: see
-- queue_depths.sql.
select queue, ready, scheduled, running, retrying, dead, oldest_ready_age, paused, ahead, estimated, holders
from pgqueue.queue_depths($1::text[], $2::int)
order by queue
