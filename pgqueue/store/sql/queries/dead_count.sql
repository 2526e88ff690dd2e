-- How many dead jobs a purge would forget among the oldest $4, and whether there are more than those.
-- Walks dead_jobs_queue or dead_jobs_pkey (dead_behind.sql).
select count(*) filter (where dead.died_at <= $3::timestamptz and ($2::text is null or dead.target = $2)),
       count(*) > $4
from pgqueue.dead_behind($1::text, null, $4::int + 1) as dead
