-- A worker appends batch _number of what it has counted, which is all that it had settled until _until, or ever will, if
-- it is the _last. A batch that was appended before is not appended again: its reply was lost.
-- False if the worker's lease was given up: then what it had settled is made up from the history (make_up.sql).
-- The row of its lease is held meanwhile, so that no reaper comes in between. Walks workers_pkey, worker_reports_pkey.
create or replace function pgqueue.tally_of(
  _worker bigint, _number int, _until timestamptz, _rows jsonb, _last boolean default false) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from pgqueue.workers as me where me.id = _worker for key share;
  if not found then
    return false;
  end if;
  insert into pgqueue.worker_reports as mine (id, tallied, tallied_until)
  values (_worker, _number, case when _last then 'infinity' else coalesce(_until, clock_timestamp()) end)
  on conflict (id) do update
    set tallied = excluded.tallied,
        tallied_until = case when _last then 'infinity' else greatest(mine.tallied_until, _until) end
    where mine.tallied < excluded.tallied;
  if found and jsonb_array_length(_rows) > 0 then
    perform pgqueue.tally(_rows);
  end if;
  return true;
end $$;
