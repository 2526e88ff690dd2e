-- The partitions of attempts, dead_jobs, or of what one of them is copied to, in the order of their ids. Kinds:
-- `span`: a day of attempts, a month of dead jobs, from `begins` to `ends`; `kept`: what was left over from spans that
-- were dropped, and whatever is older; `rest`: ids of spans that nobody has made; `beyond`: ids that are no times.
-- Holds jobs with ids from `since` up to `until`; null has no bound. `again_at`: a span in which too much is to be
-- kept is not looked at before (drop_partition.sql). Reads the catalogue; O(partitions).
create or replace function pgqueue.partitions_of(_table text)
returns table (name text, kind text, since uuid, until uuid, begins timestamptz, ends timestamptz, bytes bigint,
               again_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  select part.name, part.kind, part.since, part.until, part.begins,
         part.begins + case when part.kind = 'span' then pgqueue.span_of(_table) end,
         pg_relation_size(part.oid), part.again_at
  from (
    select found.oid, found.name, found.kind,
           (substring(found.bounds from 'FROM \(''([0-9a-f-]{36})''\)'))::uuid as since,
           (substring(found.bounds from 'TO \(''([0-9a-f-]{36})''\)'))::uuid as until,
           case when found.kind = 'span'
                then to_timestamp(rpad(found.said, 8, '01') || ' 00:00 +00', 'YYYYMMDD HH24:MI TZH') end as begins,
           (substring(obj_description(found.oid, 'pg_class') from 'not before (\S+)'))::timestamptz as again_at
    from (
      select c.oid, c.relname::text as name, pg_get_expr(c.relpartbound, c.oid) as bounds,
             substr(c.relname, length(_table) + 2) as said,
             case when substr(c.relname, length(_table) + 2) ~ '^\d{6,8}$' then 'span'
                  when c.relname = _table || '_rest' then 'rest'
                  when c.relname = _table || '_beyond' then 'beyond'
                  else 'kept' end as kind
      from pg_inherits as i
      join pg_class as c on c.oid = i.inhrelid
      where i.inhparent = to_regclass(format('pgqueue.%I', _table))) as found) as part
  order by part.since nulls first;
end $$;
