-- Look after the partitions of attempts and dead_jobs: make those to come, and drop one of each table that has passed.
-- With the rights of its owner, who alone may: but only for whoever holds a lock that nobody can have who may not delete
-- there (prune.sql). Waits 200 ms for a lock at most, and comes back; what goes wrong hurts nobody (`pgqueue doctor` sees
-- what is missing). Where a snapshot is older than the locks, it does nothing. O(partitions) where nothing is to be done.
create or replace function pgqueue.tend_history(_history interval, _dead interval) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '200ms'
as $$
declare
  _table text;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    return;
  end if;
  foreach _table in array '{attempts,dead_jobs}'::text[] loop
    continue when not pgqueue.is_partitioned(_table) or not exists (
      select from pg_locks as held
      where held.pid = pg_backend_pid() and held.granted and held.mode = 'ShareUpdateExclusiveLock'
        and held.locktype = 'relation' and held.relation = to_regclass(format('pgqueue.%I', _table)));
    begin
      perform pgqueue.make_spans(_table);
      perform pgqueue.drop_partition(_table, case when _table = 'attempts' then _history else _dead end);
    exception when lock_not_available or deadlock_detected then
      null;
    when others then
      raise warning 'pgqueue: the partitions of % were left as they are: %', _table, sqlerrm;
    end;
  end loop;
end $$;
