-- As page_of_live, of dead jobs, whatever $1, and of any queue. Walks dead_jobs_pkey backwards.
\ir parts/dead_row
from (
  select dead.*
  from pgqueue.dead_jobs_shown as dead
  where $4::uuid is null or dead.id < $4
  order by dead.id desc
  limit $5::int) as looked
where 'dead' = any ($1::text[])
  and ($2::text is null or looked.queue = $2)
  and ($3::text is null or looked.target = $3)
order by looked.id desc
limit $6::int
