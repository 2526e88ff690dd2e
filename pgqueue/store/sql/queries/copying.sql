-- How many rows of table $1 are copied, and how many there are, as the planner believes. Reads the catalogue.
select p.copied, greatest(p.copied, (
  select coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint from pg_class as c
  where c.relkind = 'r' and (
    c.oid = to_regclass(format('pgqueue.%I', p.source))
    or c.oid in (
      select part.inhrelid from pg_inherits as part where part.inhparent = to_regclass(format('pgqueue.%I', p.source))))))
from pgqueue.partitioning as p
where p.source = $1::text
