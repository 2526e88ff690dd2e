-- As page_of_dead, of queue $2. Walks dead_jobs_queue backwards.
-- The queue as a range, whose order that index alone has: else the planner may walk all dead jobs by id, and filter.
\ir parts/dead_row
from (
  select dead.*
  from pgqueue.dead_jobs_shown as dead
  where dead.queue >= $2::text and dead.queue <= $2 and ($4::uuid is null or (dead.queue, dead.id) < ($2, $4))
  order by dead.queue desc, dead.id desc
  limit $5::int) as looked
where 'dead' = any ($1::text[]) and ($3::text is null or looked.target = $3)
order by looked.queue desc, looked.id desc
limit $6::int
