-- As end_of_dead, of queue $3. Walks dead_jobs_queue.
select dead.id
from pgqueue.dead_jobs as dead
where dead.queue >= $3::text and dead.queue <= $3 and ($1::uuid is null or (dead.queue, dead.id) < ($3, $1))
order by dead.queue desc, dead.id desc
offset $2::int - 1
limit 1
