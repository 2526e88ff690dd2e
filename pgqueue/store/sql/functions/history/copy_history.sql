-- Copy the next rows of attempts or dead_jobs into the table with partitions, in the order of their ids; answers how many
-- there were: fewer than _max at the end. What is there was written since: it stays (mirror.sql).
-- Whoever deletes or changes such rows waits meanwhile. Walks the primary key; O(_max log n).
create or replace function pgqueue.copy_history(_table text, _max int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
declare
  _key constant text := case _table when 'attempts' then 'row(source.job_id, source.claim)' else 'row(source.id, 0)' end;
  _order constant text := case _table when 'attempts' then 'job_id, claim' else 'id' end;
  _columns text;
  _from record;
  _last record;
begin
  lock table pgqueue.partitioning in exclusive mode;
  select coalesce(p.last_id, '00000000-0000-0000-0000-000000000000') as id, coalesce(p.last_claim, -2147483648) as claim
  into strict _from
  from pgqueue.partitioning as p where p.source = _table;
  select string_agg(format('%I', a.attname), ', ' order by a.attnum) into _columns
  from pg_attribute as a
  where a.attrelid = to_regclass(format('pgqueue.%I_copy', _table)) and a.attnum > 0 and not a.attisdropped;
  execute format(
    $text$
    with batch as materialized (
      select source.* from pgqueue.%1$I as source where %2$s > row($1::uuid, $2::int) order by %3$s limit $3
    ), copied as (
      insert into pgqueue.%4$I (%5$s) select %5$s from batch order by %3$s on conflict do nothing
    )
    select count(*) as rows, (array_agg(%6$s order by %3$s))[count(*)] as id,
           (array_agg(%7$s order by %3$s))[count(*)] as claim
    from batch
    $text$, _table, _key, _order, _table || '_copy', _columns,
    case _table when 'attempts' then 'job_id' else 'id' end, case _table when 'attempts' then 'claim' else '0' end)
  into _last using _from.id, _from.claim, _max;
  update pgqueue.partitioning as p
  set last_id = coalesce(_last.id, p.last_id), last_claim = coalesce(_last.claim, p.last_claim),
      copied = p.copied + _last.rows
  where p.source = _table;
  return _last.rows;
end $$;
