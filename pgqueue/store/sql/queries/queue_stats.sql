-- How full every queue is. Exact, and so it reads every row of jobs and dead_jobs.
select queue, ready, scheduled, running, retrying, dead, oldest_ready_age, paused
from pgqueue.queue_stats
order by queue
