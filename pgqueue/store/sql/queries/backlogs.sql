-- Of each of the queues $1: the mean seconds of an attempt, null if none ended lately, and the slots that serve it.
-- Reads 2,000 attempts and every row of workers.
with served as (
  select w.queues, sum(greatest(w.concurrency, 0)) as slots
  from pgqueue.workers as w
  where w.expires_at > clock_timestamp()
  group by w.queues
), means as materialized (
  select mean.queue, mean.seconds from pgqueue.mean_run() as mean
)
select named.queue, means.seconds,
       coalesce(sum(served.slots) filter (where pgqueue.serves(served.queues, named.queue)), 0)::float8 as slots
from unnest($1::text[]) as named (queue)
left join means on means.queue = named.queue
left join served on true
group by named.queue, means.seconds
