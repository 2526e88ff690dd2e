-- Lock every table of pgqueue against vacuum and other migrations alone: autovacuum gives way to whoever has waited for
-- as long as deadlock_timeout, and readers, producers and workers do not notice.
do $$
begin
  execute (
    select format('lock table %s in share update exclusive mode',
                  string_agg(c.oid::regclass::text, ', ' order by c.oid))
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'pgqueue' and c.relkind in ('r', 'p') and not c.relispartition);
end $$
