-- A job comes into a queue that has a max_size: it takes one of those that may come before the jobs are counted again.
-- Called by the triggers jobs_full_..., for rows of such queues alone. With the rights of its owner, because to make room
-- takes more than a producer has. O(1); what a count costs is said in make_room.sql.
create or replace function pgqueue.keep_size() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if nextval(tg_argv[0]::regclass) < 0 then
    perform pgqueue.make_room(new.queue, new.id, tg_argv[0]::regclass);
  end if;
  return null;
end $$;
