-- As end_of_dead, of cause $3. Walks dead_jobs_cause.
select dead.id
from pgqueue.dead_jobs as dead
where dead.cause >= $3::text and dead.cause <= $3 and ($1::uuid is null or (dead.cause, dead.id) < ($3, $1))
order by dead.cause desc, dead.id desc
offset $2::int - 1
limit 1
