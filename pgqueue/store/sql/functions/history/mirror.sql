-- Have what is written to attempts or dead_jobs be written to its copy, too: functions and triggers that are made for it.
-- Who changes or deletes rows does not do so while a batch is copied, and no batch is copied before that is committed
-- (copy_history.sql): else a row could be copied as it was. What is inserted is in no batch before it is committed.
-- A part of begin_copy(). Locks the table against those who write.
create or replace function pgqueue.mirror(_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _copy constant text := _table || '_copy';
  _keys constant text[] := case _table when 'attempts' then '{job_id,claim}' else '{id}' end::text[];
  _columns text;
  _excluded text;
  _same text;
  _head constant text := ' returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp';
begin
  select string_agg(format('%I', a.attname), ', ' order by a.attnum),
         string_agg(format('excluded.%I', a.attname), ', ' order by a.attnum)
  into _columns, _excluded
  from pg_attribute as a
  where a.attrelid = to_regclass(format('pgqueue.%I', _table)) and a.attnum > 0 and not a.attisdropped;
  select string_agg(format('copy.%1$I = changed.%1$I', key.name), ' and ') into _same from unnest(_keys) as key (name);
  execute format(
    'create or replace function pgqueue.%I()' || _head || ' as $body$ begin'
    ' lock table pgqueue.partitioning in row share mode; return null; end $body$', 'hold_' || _copy);
  execute format(
    'create or replace function pgqueue.%1$I()' || _head
    || ' set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off'
    ' set enable_mergejoin = off set jit = off as $body$ begin'
    ' if tg_op = ''TRUNCATE'' then truncate pgqueue.%2$I;'
    ' elsif tg_op = ''DELETE'' then delete from pgqueue.%2$I as copy using changed where %3$s;'
    ' else insert into pgqueue.%2$I (%4$s) select %4$s from changed'
    ' on conflict (%5$s) do update set (%4$s) = row(%6$s);'
    ' end if; return null; end $body$',
    'mirror_' || _table, _copy, _same, _columns, array_to_string(_keys, ', '), _excluded);
  execute format('create trigger copy_held before update or delete on pgqueue.%I for each statement'
                 ' execute function pgqueue.%I()', _table, 'hold_' || _copy);
  execute format('create trigger copy_insert after insert on pgqueue.%I referencing new table as changed'
                 ' for each statement execute function pgqueue.%I()', _table, 'mirror_' || _table);
  execute format('create trigger copy_update after update on pgqueue.%I referencing new table as changed'
                 ' for each statement execute function pgqueue.%I()', _table, 'mirror_' || _table);
  execute format('create trigger copy_delete after delete on pgqueue.%I referencing old table as changed'
                 ' for each statement execute function pgqueue.%I()', _table, 'mirror_' || _table);
  execute format('create trigger copy_truncate after truncate on pgqueue.%I'
                 ' for each statement execute function pgqueue.%I()', _table, 'mirror_' || _table);
end $$;
