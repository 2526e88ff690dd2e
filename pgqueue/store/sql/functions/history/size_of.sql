-- How large a table is, in bytes, with its partitions, if it has some. Reads the catalogue; O(partitions).
create or replace function pgqueue.size_of(_table regclass) returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(pg_relation_size(_table), 0) + (
    select coalesce(sum(pg_relation_size(part.inhrelid)), 0)::bigint
    from pg_inherits as part where part.inhparent = _table);
end $$;
