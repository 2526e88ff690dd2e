-- Waiting jobs of PgQueuer behind an id, in the order in which they were enqueued.
-- Walks {table}'s primary key; O(batch): what has ended is not there.
select id, entrypoint, payload, null::text, priority, execute_after, null::text, dedupe_key
from {table}
where status = 'queued' and id > coalesce($1::int8, 0)
order by id
limit $2
