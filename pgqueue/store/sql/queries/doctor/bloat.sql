-- Tables of pgqueue, and the indexes of jobs, that are larger than $1 bytes and than five times what their live rows would
-- take, as far as counters and statistics tell; null bytes where these know nothing. Reads the catalogue.
with tables as (
  select c.oid, c.relname, pg_relation_size(c.oid) as bytes,
         greatest(pg_stat_get_live_tuples(c.oid), c.reltuples, 0) as rows,
         c.reltuples >= 0 or pg_stat_get_tuples_inserted(c.oid) > 0 or pg_stat_get_last_vacuum_time(c.oid) is not null as known,
         coalesce((select sum(s.avg_width) from pg_stats as s where s.schemaname = 'pgqueue' and s.tablename = c.relname),
                  500) + 28 as width,
         coalesce((select said[1]::int from unnest(c.reloptions) as option (words),
                   lateral regexp_match(words, '^fillfactor=(\d+)$') as found (said) where said is not null), 100) as fill
  from pg_class as c
  where c.relnamespace = 'pgqueue'::regnamespace and c.relkind = 'r'
), wanted as (
  select tables.relname, tables.bytes, tables.rows * tables.width * 100 / tables.fill + 65536 as needed, tables.known,
         format('vacuum (full, analyze) pgqueue.%I;', tables.relname) as cure, 'table' as kind
  from tables
  union all
  select i.relname, pg_relation_size(i.oid), tables.rows * 120 + 65536, tables.known,
         format('reindex index concurrently pgqueue.%I;', i.relname), 'index'
  from tables
  join pg_index as x on x.indrelid = tables.oid
  join pg_class as i on i.oid = x.indexrelid
  where tables.relname = 'jobs'
)
select wanted.kind, wanted.relname, wanted.bytes, wanted.needed::bigint, wanted.cure
from wanted
where wanted.known and wanted.bytes > $1::bigint and wanted.bytes > 5 * wanted.needed
order by wanted.bytes desc
