-- Where a row of that moment is, by the id that its job got then: the name of a partition; of the table itself, if it has
-- none. Reads the catalogue; O(partitions).
create or replace function pgqueue.partition_at(_table text, _at timestamptz) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _id constant uuid := pgqueue.uuid7_floor(_at);
begin
  if not pgqueue.is_partitioned(_table) then
    return _table;
  end if;
  return coalesce((
    select part.name from pgqueue.partitions_of(_table) as part
    where part.kind <> 'rest' and (part.since is null or part.since <= _id) and (part.until is null or part.until > _id)
    limit 1), _table || '_rest');
end $$;
