-- A queue that has a max_size has a trigger on `jobs` for its rows alone, and a sequence that says how many jobs may come
-- before they are counted again; a queue without has neither, and its jobs cost what they did. Does what `queues` says.
-- For the owner of `jobs`, or who may act as that. Locks `jobs` against writers if the trigger comes, against all if it
-- goes, to COMMIT: waits a second for that, and is refused (55P03) where somebody has written, or reads, for longer.
create or replace function pgqueue.bound_queue(_queue text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set lock_timeout = '1s'
as $$
declare
  _key constant text := md5(_queue);
  _trigger constant text := 'jobs_full_' || _key;
  _room constant text := 'room_' || _key;
  _owner constant name := pg_get_userbyid((select c.relowner from pg_class as c where c.oid = 'pgqueue.jobs'::regclass));
  _has_trigger constant boolean := exists (
    select from pg_trigger as t where t.tgrelid = 'pgqueue.jobs'::regclass and t.tgname = _trigger);
begin
  if exists (select from pgqueue.queues as q where q.name = _queue and q.max_size is not null) then
    -- Restarted with the COMMIT, unlike setval: what was granted under another size is forgotten.
    execute format('create sequence if not exists pgqueue.%I increment -1 minvalue %s maxvalue %s start -1',
                   _room, -9223372036854775807, 9223372036854775807);
    execute format('alter sequence pgqueue.%I restart with -1', _room);
    execute format('alter sequence pgqueue.%I owner to %I', _room, _owner);
    if not _has_trigger then
      execute format(
        'create trigger %I after insert on pgqueue.jobs for each row when (new.queue = %L)'
        ' execute function pgqueue.keep_size(%L)', _trigger, _queue, 'pgqueue.' || _room);
    end if;
  else
    if _has_trigger then
      execute format('drop trigger %I on pgqueue.jobs', _trigger);
    end if;
    execute format('drop sequence if exists pgqueue.%I', _room);
  end if;
exception when lock_not_available then
  perform pgqueue.refuse_busy();
end $$;
