-- As search_dead, of cause $13: as a range, whose order dead_jobs_cause alone has. Walks that.
with looked as materialized (
  select dead.*
  from pgqueue.dead_jobs as dead
  where dead.cause >= $13::text and dead.cause <= $13 and dead.id >= $10::uuid
    and (dead.cause, dead.id) < ($13, $11::uuid)
  order by dead.cause desc, dead.id desc
  limit $12::int
)
\ir parts/dead_candidates
