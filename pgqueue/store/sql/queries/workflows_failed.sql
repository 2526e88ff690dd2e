-- As workflows.sql, of those that have failed: looks at $3 that have dead jobs. Walks what workflows_with_dead() walks.
\ir parts/workflow_row
from (
  select w.*, bad.state
  from pgqueue.workflows_with_dead($1::pg_catalog.uuid, $3::pg_catalog.int4) as bad
  join pgqueue.workflows as w on w.id operator(pg_catalog.=) bad.workflow_id
  where bad.state operator(pg_catalog.=) 'failed' and ($2::pg_catalog.text is null or pgqueue.is_like($2, w.name))
  order by bad.workflow_id desc
  limit $4::pg_catalog.int4) as found
cross join lateral pgqueue.workflow_counts(found.id, 1000) as counts
order by found.id desc
