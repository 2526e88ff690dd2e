-- How full each queue is, and who holds its jobs. Exact for about $1 jobs in all: see queue_depths.sql.
select queue, ready, scheduled, running, retrying, dead, oldest_ready_age, paused, ahead, estimated, holders
from pgqueue.queue_depths($1::int)
order by queue
