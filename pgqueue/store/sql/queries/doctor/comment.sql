-- What the schema says of whose functions it has; null if nothing. Reads one row.
select (select obj_description(n.oid, 'pg_namespace') from pg_namespace as n where n.nspname = 'pgqueue')
