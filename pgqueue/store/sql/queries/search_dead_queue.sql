-- As search_dead, of queue $15: as a range, whose order dead_jobs_queue alone has. Walks that.
with looked as materialized (
  select dead.*
  from pgqueue.dead_jobs_shown as dead
  where dead.queue >= $15::text and dead.queue <= $15 and dead.id >= $10::uuid
    and (dead.queue, dead.id) < ($15, $11::uuid)
    and ($14::uuid[] is null or dead.id = any ($14))
  order by dead.queue desc, dead.id desc
  limit $12::int
)
\ir parts/dead_candidates
