-- Of each of the queues $1: the mean seconds of an attempt, null if nothing is known of it, and the slots that serve it.
-- Reads 2,000 attempts or 20,000 rows of tallies (mean_run.sql), and every row of workers.
with served as (
  select w.queues, sum(greatest(w.concurrency, 0)) as slots
  from pgqueue.workers as w
  where w.expires_at > clock_timestamp()
  group by w.queues
), means as materialized (
  select mean.queue, mean.seconds from pgqueue.mean_run($1::text[]) as mean
)
select means.queue, means.seconds,
       coalesce(sum(served.slots) filter (where pgqueue.serves(served.queues, means.queue)), 0)::float8 as slots
from means
left join served on true
group by means.queue, means.seconds
