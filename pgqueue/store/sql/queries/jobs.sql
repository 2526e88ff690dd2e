-- Jobs in some states, newest id first, below a given id to page on. Walks primary keys backwards, at most $5 rows.
select id, queue, target, args::text, state, priority, attempt, max_attempts, created_at, run_at, started_at,
       finished_at, worker, unique_key, limit_key, labels::text, last_error, reason
from pgqueue.job
where state = any ($1::text[])
  and ($2::text is null or queue = $2)
  and ($3::text is null or target = $3)
  and ($4::uuid is null or id < $4)
order by id desc
limit $5::int
