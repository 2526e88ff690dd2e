-- As search_dead, of queue $13: as a range, whose order dead_jobs_queue alone has. Walks that.
with looked as materialized (
  select dead.*
  from pgqueue.dead_jobs as dead
  where dead.queue >= $13::text and dead.queue <= $13 and dead.id >= $10::uuid
    and (dead.queue, dead.id) < ($13, $11::uuid)
  order by dead.queue desc, dead.id desc
  limit $12::int
)
\ir parts/dead_candidates
