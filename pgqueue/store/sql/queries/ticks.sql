-- What became of the last $2 ticks of schedule $1, the latest first. Walks ticks_pkey.
select tick.schedule, tick.scheduled_for, tick.decided_at, tick.why, tick.job_id
from pgqueue.ticks as tick
where tick.schedule operator(pg_catalog.=) $1::pg_catalog.text
order by tick.scheduled_for desc
limit $2::pg_catalog.int4
