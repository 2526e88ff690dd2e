-- Stop claims from a queue; what runs goes on. With _for it goes on by itself after so long, by the database's clock.
-- What a month is depends on nothing: 30 days. Walks queues_pkey; O(1).
create or replace function pgqueue.pause_queue(_queue text, _for interval default null) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgqueue.note_act('queues pause', _queue);
  if _for <= '0' or _for > '100 years' then
    raise exception 'a pause must be more than 0 and at most 100 years, got %', _for
      using errcode = 'invalid_parameter_value', hint = 'leave it out to pause until it is resumed';
  end if;
  insert into pgqueue.queues (name, paused, paused_until)
  values (_queue, true, clock_timestamp() + make_interval(secs => extract(epoch from _for)::float8))
  on conflict (name) do update set paused = true, paused_until = excluded.paused_until;
end $$;
