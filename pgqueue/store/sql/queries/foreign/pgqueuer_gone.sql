-- queued -> (gone), as PgQueuer's own deletion has it: who waits for these jobs there finds them deleted.
-- Walks {table}'s primary key; O(batch).
with gone as (
  delete from {table}
  where id operator(pg_catalog.=) any ($1::pg_catalog.int8[])
  returning id, entrypoint, priority)
insert into {log} (job_id, status, entrypoint, priority)
select id, 'deleted', entrypoint, priority
from gone
