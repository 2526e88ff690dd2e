-- Indexes of arguments that people have made, by their path: whether each is built to its end, how large, and how often it was
-- used; with those of partitions, if the table has some. Reads the catalogue.
select obj_description(i.indexrelid, 'pg_class') as path, c.relname::text, t.relname::text, i.indisvalid and i.indisready,
       sum(coalesce(pg_relation_size(each.oid), 0))::bigint, sum(coalesce(pg_stat_get_numscans(each.oid), 0))::bigint
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
join pg_class as t on t.oid = i.indrelid
cross join lateral (
  select i.indexrelid as oid
  union all
  select part.inhrelid from pg_inherits as part where part.inhparent = i.indexrelid) as each
where c.relnamespace = to_regnamespace('pgqueue') and c.relname ~ '^(attempts|dead_jobs)_arg_[0-9a-f]{10}$'
group by i.indexrelid, c.relname, t.relname, i.indisvalid, i.indisready
order by 1 nulls last, 2
