-- How many jobs wait for a human, of the first $1, and for how many seconds the oldest has. Walks manual_jobs_since.
select count(*)::int, extract(epoch from clock_timestamp() - min(waiting.since))::float8
from (select manual.since from pgqueue.manual_jobs as manual order by manual.since, manual.job_id limit $1::int) as waiting
