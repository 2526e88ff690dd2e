-- Whether table $1 has partitions, and so little lies beside them that new ones can be made (make_spans.sql).
-- Reads the catalogue.
select exists (
  select from pg_class as c
  where c.oid = to_regclass(format('pgqueue.%I', $1::text)) and c.relkind = 'p'
    and coalesce(pg_relation_size(to_regclass(format('pgqueue.%I', $1 || '_rest'))), 0) <= 64 * 1024 * 1024)
