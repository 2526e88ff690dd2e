-- Drop a partition whose whole span is past its keeping time, the oldest first; answers its name, null if there is none.
-- What is to be kept of a day of attempts (kept_in.sql) moves to the partition before it, if that is small, or to one of
-- its own. Where that is more than 10,000 jobs the day stays, is pruned row by row, and is looked at again tomorrow. A
-- month of dead jobs is dropped when it is empty: a dead job goes with all that is known of it (prune_below.sql).
-- Locks the table against everybody, and its `rest`, for the moves of what is kept: milliseconds; O(kept log n).
create or replace function pgqueue.drop_partition(_table text, _keep interval) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _small constant bigint := 32 * 1024 * 1024;
  _of_attempts constant boolean := _table = 'attempts';
  _most constant int := case when _of_attempts then 10000 else 0 end;
  -- A late attempt is one that ended a day after its span.
  _before constant timestamptz := now() - _keep;
  _old record;
  _home record;
  _kept uuid[];
  _moved uuid[];
begin
  if pg_relation_size(to_regclass(format('pgqueue.%I', _table || '_rest'))) > 64 * 1024 * 1024 then
    return null;
  end if;
  for _old in
    select p.* from pgqueue.partitions_of(_table) as p
    where p.kind = 'span' and p.ends + interval '1 day' <= _before and (p.again_at is null or p.again_at <= now())
    order by p.since
    limit 4
  loop
    _kept := pgqueue.kept_in(_table, _old.name, _old.since, _old.until, _before, _most);
    if cardinality(_kept) > _most then
      execute format('comment on table pgqueue.%I is %L', _old.name,
                     format('too much is kept to drop it; not before %s',
                            to_char((now() + interval '1 day') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')));
      continue;
    end if;
    select p.* into _home from pgqueue.partitions_of(_table) as p
    where p.kind = 'kept' and p.until = _old.since and p.bytes <= _small;
    -- First against vacuum, which holds up nobody else.
    execute format('lock table only pgqueue.%I in share update exclusive mode nowait', _old.name);
    execute format('lock table only pgqueue.%I in share update exclusive mode nowait', _table || '_rest');
    if _home.name is not null then
      execute format('lock table only pgqueue.%I in share update exclusive mode nowait', _home.name);
    end if;
    execute format('lock table only pgqueue.%I in access exclusive mode', _table);
    -- Nobody writes any more.
    _moved := pgqueue.kept_in(_table, _old.name, _old.since, _old.until, _before, _most);
    if cardinality(_moved) > _most then
      return null;
    end if;
    execute format('alter table pgqueue.%I detach partition pgqueue.%I', _table, _old.name);
    if _home.name is not null then
      execute format('alter table pgqueue.%I detach partition pgqueue.%I', _table, _home.name);
    else
      select pgqueue.new_partition(_table, 'kept_' || to_char(_old.begins at time zone 'UTC', 'YYYYMMDD')) as name,
             _old.since as since
      into _home;
    end if;
    if _of_attempts then
      execute format('insert into pgqueue.%I select a.* from pgqueue.%I as a where a.job_id = any ($1)',
                     _home.name, _old.name) using _moved;
    end if;
    execute format('alter table pgqueue.%I attach partition pgqueue.%I for values from (%s) to (%L)',
                   _table, _home.name, coalesce(quote_literal(_home.since), 'minvalue'), _old.until);
    execute format('drop table pgqueue.%I', _old.name);
    return _old.name;
  end loop;
  return null;
end $$;
