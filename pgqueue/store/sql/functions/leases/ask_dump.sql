-- Ask a worker where its jobs are: what it answers stands in worker_dumps soon, if it is of this release and lives.
-- Answers when it was asked; null if there is no such worker. It hears of it at once if it listens, else at its next
-- look. Whoever asks while it has not answered shares the answer. Walks workers_pkey and worker_dumps_pkey; O(1).
create or replace function pgqueue.ask_dump(_worker bigint) returns timestamptz
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _asked timestamptz;
begin
  perform pgqueue.note_act('workers dump', _worker::text);
  if not exists (select from pgqueue.workers as w where w.id = _worker) then
    return null;
  end if;
  insert into pgqueue.worker_dumps as asked (worker) values (_worker)
  on conflict (worker) do update
  set asked_at = case when asked.told_at is null then asked.asked_at else clock_timestamp() end,
      told_at = null, dump = null
  returning asked.asked_at into _asked;
  perform pgqueue.alert(_worker);
  return _asked;
end $$;
