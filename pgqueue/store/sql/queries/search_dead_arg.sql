-- As search_dead, of the jobs whose argument at path $15 begins as text $16 does. Walks an index that somebody made for it
-- (`pgqueue index add`): asked only where that is there.
with looked as materialized (
  select dead.*
  from pgqueue.dead_jobs as dead
  where pgqueue.arg_text(dead.args, $15::text[]) = left($16::text, 200) and dead.args is not null
    and ($14::uuid[] is null or dead.id = any ($14))
    and dead.id >= $10::uuid and dead.id < $11::uuid
  order by dead.id desc
  limit $12::int
)
\ir parts/dead_candidates
