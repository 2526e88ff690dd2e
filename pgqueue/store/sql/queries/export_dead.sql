-- Dead jobs as JSON, locked until the end of the transaction, in order of id; one that somebody else has locked is left
-- out. Walks dead_jobs_pkey.
select dead.id, to_json(dead)::text
from pgqueue.dead_jobs as dead
where dead.id = any ($1::uuid[])
order by dead.id
for update skip locked
