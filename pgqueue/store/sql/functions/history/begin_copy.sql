-- Begin to copy attempts or dead_jobs into partitions, beside whoever is at work: an empty table with partitions for what
-- is kept and what is to come, and triggers that write there, too, what is written from now on. Nothing where that was begun.
-- Locks the table against those who write, for as long as the triggers take to be made. O(partitions).
create or replace function pgqueue.begin_copy(_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _copy constant text := _table || '_copy';
  _key constant text := case _table when 'attempts' then 'job_id' else 'id' end;
  _span constant interval := pgqueue.span_of(_table);
  _begins timestamptz := date_trunc(case when _span = '1 day' then 'day' else 'month' end, now(), 'UTC');
  _index record;
begin
  if to_regclass(format('pgqueue.%I', _copy)) is not null then
    return;
  end if;
  create table if not exists pgqueue.partitioning (
    source   text        not null constraint partitioning_pkey primary key check (source in ('attempts', 'dead_jobs')),
    begun_at timestamptz not null default now(),
    last_id  uuid,
    last_claim integer,
    copied   bigint      not null default 0);
  insert into pgqueue.partitioning (source) values (_table);
  execute format('create table pgqueue.%I (like pgqueue.%I including all excluding indexes) partition by range (%I)',
                 _copy, _table, _key);
  if pgqueue.has_tenants() then
    execute format('alter table pgqueue.%I enable row level security', _copy);
  end if;
  execute (
    select format('alter table pgqueue.%I owner to %I', _copy, pg_get_userbyid(c.relowner))
    from pg_class as c where c.oid = to_regclass(format('pgqueue.%I', _table)));
  for _index in
    select c.relname, i.indisprimary, pg_get_indexdef(c.oid) as made, obj_description(c.oid, 'pg_class') as said,
           format('%s_%s', _copy, regexp_replace(c.relname, '^' || _table || '_', '')) as name
    from pg_index as i
    join pg_class as c on c.oid = i.indexrelid
    where i.indrelid = to_regclass(format('pgqueue.%I', _table)) and i.indisvalid
    order by c.relname
  loop
    if _index.indisprimary then
      execute format('alter table pgqueue.%I add constraint %I primary key %s', _copy, _index.name,
                     substring(_index.made from '\(.*\)$'));
    else
      execute regexp_replace(_index.made, ' INDEX \S+ ON (ONLY )?\S+ USING ',
                             format(' INDEX %I ON pgqueue.%I USING ', _index.name, _copy));
    end if;
    if _index.said is not null then
      execute format('comment on index pgqueue.%I is %L', _index.name, _index.said);
    end if;
  end loop;
  -- As far back as what is kept for its usual time: what is older was kept longer, and is together.
  _begins := (_begins at time zone 'UTC' - case when _span = '1 day' then 9 else 5 end * _span) at time zone 'UTC';
  execute format('alter table pgqueue.%I attach partition pgqueue.%I for values from (minvalue) to (%L)',
                 _copy, pgqueue.new_partition(_copy, 'past'), pgqueue.uuid7_floor(_begins));
  execute format('alter table pgqueue.%I attach partition pgqueue.%I for values from (%L) to (maxvalue)',
                 _copy, pgqueue.new_partition(_copy, 'beyond'), pgqueue.uuid7_floor('2100-01-01 00:00+00'));
  execute format('alter table pgqueue.%I attach partition pgqueue.%I default',
                 _copy, pgqueue.new_partition(_copy, 'rest'));
  while _begins <= now() loop
    perform pgqueue.make_span(_copy, _begins);
    _begins := (_begins at time zone 'UTC' + _span) at time zone 'UTC';
  end loop;
  perform pgqueue.make_spans(_copy);
  perform pgqueue.mirror(_table);
end $$;
