-- Causes that were resolved and are met again, and new ones of the last hour that made a job dead or failed at least $1
-- attempts; not those that are muted. Costs what cause_list() costs for 100 causes.
select met.cause, met.state, met.target, coalesce(met.title, met.error_type, 'error'), met.failures, met.dead
from pgqueue.cause_list('1 hour', 100) as met
where met.state = 'regression' or met.state = 'new' and (met.dead > 0 or met.failures >= $1::int)
order by met.state = 'regression' desc, met.failures desc
limit 20
