-- Whether the heads of the queues can be walked in a bounded time: not where a transaction that nobody ends keeps very
-- many rows of ended jobs there, each of which is looked at. A part of explain() and explain_queue().
-- Reads one counter, and pg_stat_activity where that is high; who may not see it there is told to keep off.
create or replace function pgqueue.is_walkable() returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(pg_stat_get_dead_tuples('pgqueue.jobs'::regclass), 0) <= 30000 then
    return true;
  end if;
  return pg_has_role('pg_read_all_stats', 'usage')
    and not exists (
      select from pg_stat_activity as who
      where who.datname = current_database() and who.backend_xmin is not null and who.pid <> pg_backend_pid()
        and who.xact_start < clock_timestamp() - interval '10 seconds')
    and not exists (select from pg_prepared_xacts as gone where gone.database = current_database());
end $$;
