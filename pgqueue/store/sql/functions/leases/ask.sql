-- Ask a worker for something: to be `quiet` (claim no more), to `resume`, to `stop`, or to leave at once (`evict`: its
-- lease ends now). It hears of it at once if it listens, else at its next heartbeat. A stop is not taken back.
-- False if there is no such worker. Commit soon: until then the worker's heartbeat waits. Walks workers_pkey; O(1).
create or replace function pgqueue.ask(_worker bigint, _what text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.note_act('workers ' || _what, _worker::text);
  if _what is null or _what not in ('quiet', 'resume', 'stop', 'evict') then
    raise exception 'a worker can be asked to quiet, resume, stop or evict, not to %', coalesce(_what, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  update pgqueue.workers as w
  set asked = case when _what = 'evict' or w.asked = 'evict' then 'evict'
                   when _what = 'stop' or w.asked = 'stop' then 'stop'
                   when _what = 'quiet' then 'quiet' end,
      expires_at = case when _what = 'evict' then least(w.expires_at, clock_timestamp()) else w.expires_at end
  where w.id = _worker;
  if not found then
    return false;
  end if;
  perform pgqueue.alert(_worker);
  return true;
end $$;
