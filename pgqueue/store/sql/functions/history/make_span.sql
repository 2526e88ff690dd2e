-- Make the partition of the day or month that begins at _begins. What is in `rest` of it moves there; where that is more
-- than 10,000 rows, nothing is made, and they stay: answers whether there is one now.
-- An attempt that ends a day after its span, or later, is found by an index of its own, in which nothing else is:
-- drop_partition.sql. Locks `rest` against everybody, and reads it; O(rest).
create or replace function pgqueue.make_span(_table text, _begins timestamptz) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _key constant text := case when _table like 'attempts%' then 'job_id' else 'id' end;
  _ends constant timestamptz := _begins + pgqueue.span_of(_table);
  _since constant uuid := pgqueue.uuid7_floor(_begins);
  _until constant uuid := pgqueue.uuid7_floor(_ends);
  _rest constant text := _table || '_rest';
  _suffix constant text := to_char(
    _begins at time zone 'UTC', case when pgqueue.span_of(_table) = '1 day' then 'YYYYMMDD' else 'YYYYMM' end);
  _name text;
  _moved bigint;
begin
  if to_regclass(format('pgqueue.%I', _table || '_' || _suffix)) is not null then
    return true;
  end if;
  execute format('lock table only pgqueue.%I in access exclusive mode', _rest);
  execute format('select count(*) from (select from pgqueue.%I as r where r.%I >= $1 and r.%2$I < $2 limit 10001) as few',
                 _rest, _key)
  into _moved using _since, _until;
  if _moved > 10000 then
    return false;
  end if;
  _name := pgqueue.new_partition(_table, _suffix);
  if _key = 'job_id' then
    execute format('create index on pgqueue.%I (finished_at) where finished_at >= %L', _name, _ends + interval '1 day');
  end if;
  if _moved > 0 then
    execute format('with moved as (delete from pgqueue.%I as r where r.%I >= $1 and r.%2$I < $2 returning r.*)'
                   ' insert into pgqueue.%I select * from moved', _rest, _key, _name)
    using _since, _until;
  end if;
  execute format('alter table pgqueue.%I attach partition pgqueue.%I for values from (%L) to (%L)',
                 _table, _name, _since, _until);
  return true;
end $$;
