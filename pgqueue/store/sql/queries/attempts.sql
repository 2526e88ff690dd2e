-- The ended attempts of a job, oldest first; of very many the newest $2 (null: all). Walks attempts_pkey backwards.
select job_id, attempt, claim, queue, target, worker, started_at, finished_at, outcome, error_type, error, traceback,
       fallen_from is not null as degraded
from (
  select ended.*
  from pgqueue.attempts_shown as ended
  where ended.job_id operator(pg_catalog.=) $1::pg_catalog.uuid
  order by ended.claim desc
  limit $2::int) as newest
order by claim
