-- A worker begins: its lease, under which it will hold jobs, and the targets that may run at most once. O(1).
create or replace function pgqueue.enlist(
  _worker bigint, _host text, _pid int, _queues text[], _executor text, _concurrency int, _lease interval,
  _at_most_once text[] default '{}')
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into pgqueue.workers (id, host, pid, queues, executor, concurrency, expires_at, at_most_once)
  values (_worker, _host, _pid, _queues, _executor, _concurrency, clock_timestamp() + _lease, _at_most_once)
$$;
