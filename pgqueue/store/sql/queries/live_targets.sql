-- What live workers know and serve, workers alike as one row: their queues (null: all), their names (null: not told),
-- and how many there are. Reads `workers` and a row of `targets` each; at most $1 rows.
select workers.queues, known.names, pg_catalog.count(*)
from pgqueue.workers as workers
left join pgqueue.targets as known on known.hash operator(pg_catalog.=) workers.targets
where workers.expires_at operator(pg_catalog.>) pg_catalog.clock_timestamp()
group by workers.queues, known.names
limit $1::int
