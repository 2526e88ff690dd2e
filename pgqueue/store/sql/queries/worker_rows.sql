-- All workers, without counting what they hold. Reads every row of workers, and nothing else.
select id, host, pid, queues, executor, concurrency, started_at, expires_at, expires_at > clock_timestamp() as alive,
       null::bigint as running, asked
from pgqueue.workers
order by started_at, id
