-- Workflows below $1, newest first, in the state $2 and with a name like $3 (null: any), at most $5; looks at $4 of them.
-- Walks workflows_pkey backwards, and what workflow_state() walks for each.
\ir parts/workflow_row
from (
  select looked.*
  from (
    select w.*, pgqueue.workflow_state(w.id, w.asked) as state
    from (
      select * from pgqueue.workflows as w
      where w.id operator(pg_catalog.<) $1::pg_catalog.uuid
      order by w.id desc
      limit $4::pg_catalog.int4) as w
    where $3::pg_catalog.text is null or pgqueue.is_like($3, w.name)) as looked
  where $2::pg_catalog.text is null or looked.state operator(pg_catalog.=) $2
  order by looked.id desc
  limit $5::pg_catalog.int4) as found
cross join lateral pgqueue.workflow_counts(found.id, 1000) as counts
order by found.id desc
