-- How many dead jobs a purge would drop, at most $4 of them: walks dead_jobs and stops there.
select count(*)
from (
  select
  from pgqueue.dead_jobs
  where died_at <= $3::timestamptz
    and ($1::text is null or queue = $1)
    and ($2::text is null or target = $2)
  limit $4::int) as found
