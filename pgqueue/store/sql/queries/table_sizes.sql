-- Every table and view of pgqueue with about how many rows it has, as the planner would guess it: nothing is read but
-- the catalogue and the sizes of files. The partitions of a table count as its own; a view has none.
select c.relname, c.relkind = 'v', coalesce((
         select sum(case when part.relpages > 0 and part.reltuples > 0
                         then part.reltuples / part.relpages * (pg_relation_size(part.oid) / 8192.0)
                         -- Never analysed.
                         else pg_relation_size(part.oid) / 200.0 end)
         from pg_class as part
         where part.relkind = 'r'
           and (part.oid = c.oid or part.oid in (select tree.relid from pg_partition_tree(c.oid) as tree))), 0)::bigint
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'pgqueue' and c.relkind in ('r', 'p', 'v') and not c.relispartition
order by c.relname
