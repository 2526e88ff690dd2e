-- As page_of_dead, of cause $9. Walks dead_jobs_cause backwards.
-- The cause as a range, as the queue of page_of_dead_queue.
\ir parts/dead_row
from (
  select dead.*
  from pgqueue.dead_jobs_shown as dead
  where dead.cause >= $9::text and dead.cause <= $9 and ($4::uuid is null or (dead.cause, dead.id) < ($9, $4))
  order by dead.cause desc, dead.id desc
  limit $5::int) as looked
where 'dead' = any ($1::text[])
  and ($2::text is null or looked.queue = $2)
  and ($3::text is null or looked.target = $3)
order by looked.cause desc, looked.id desc
limit $6::int
