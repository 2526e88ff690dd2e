-- Indexes of arguments that people have made, by their path: whether each is built to its end, how large, and how often it was
-- used. Reads the catalogue.
select obj_description(i.indexrelid, 'pg_class') as path, c.relname::text, t.relname::text, i.indisvalid and i.indisready,
       pg_relation_size(i.indexrelid), coalesce(pg_stat_get_numscans(i.indexrelid), 0)
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
join pg_class as t on t.oid = i.indrelid
where c.relnamespace = to_regnamespace('pgqueue') and c.relname ~ '^(attempts|dead_jobs)_arg_[0-9a-f]{10}$'
order by 1 nulls last, 2
