-- How large the tables are, as the planner believes, with their partitions; null if never analysed. Reads pg_class.
select max(told.rows) filter (where told.name = 'jobs') as jobs,
       max(told.rows) filter (where told.name = 'dead_jobs') as dead_jobs,
       max(told.rows) filter (where told.name = 'attempts') as attempts
from (
  select one.name, sum(nullif(c.reltuples, -1))::bigint as rows
  from unnest('{jobs,dead_jobs,attempts}'::text[]) as one (name)
  cross join to_regclass('pgqueue.' || one.name) as whole (oid)
  join pg_class as c on c.relkind = 'r' and (
    c.oid = whole.oid or c.oid = any (array(select part.inhrelid from pg_inherits as part where part.inhparent = whole.oid)))
  group by one.name) as told
