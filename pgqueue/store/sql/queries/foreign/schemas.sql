-- The schemas that have a table of this name.
-- Walks pg_class_relname_nsp_index; O(log n).
select place.nspname::text
from pg_catalog.pg_class as held join pg_catalog.pg_namespace as place on place.oid = held.relnamespace
where held.relname = $1 and held.relkind in ('r', 'p') and not pg_catalog.pg_is_other_temp_schema(place.oid)
order by 1
