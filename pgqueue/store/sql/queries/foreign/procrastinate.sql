-- Waiting jobs of Procrastinate behind an id, in the order in which they were deferred.
-- Walks {table}'s index of what waits or runs, in the order of its ids; O(batch).
select id, task_name::text, args::text::bytea, queue_name::text, priority, scheduled_at, lock, queueing_lock
from {table}
where status = 'todo' and id > coalesce($1::int8, 0)
order by id
limit $2
