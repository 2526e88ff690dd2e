-- How many jobs wait for a human, of the first $1, and since when the oldest does. Walks manual_jobs_since; O($1).
select count(*), min(waiting.since)
from (select manual.since from pgqueue.manual_jobs as manual order by manual.since, manual.job_id limit $1::int) as waiting
