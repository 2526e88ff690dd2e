-- A batch of an erasure: the next _limit rows of a table, `_place`, behind what the batch before answered as `last` (null:
-- from the beginning). Whatever is about whom is sought (is_sought.sql) goes: `removed` says how many rows of which table,
-- `running` which jobs were asked to end and stay. `last` is null when the table has been looked through.
-- _once: as a rehearsal counts, who rolls each batch back (sought_behind.sql). O(_limit log n).
create or replace function pgqueue.erase_behind(
  _place text, _after json, _limit int, _sought jsonb, _once boolean, out removed jsonb, out running uuid[], out last json)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _from constant uuid := case when _place not in ('effects', 'unique_windows', 'schedules') then
    coalesce((_after ->> 0)::uuid, '00000000-0000-0000-0000-000000000000') end;
  _found record;
  _more boolean;
begin
  running := '{}';
  if _place in ('effects', 'unique_windows', 'schedules') then
    select gone.removed, gone.last into removed, last
    from pgqueue.erase_keys_behind(_place, _after, _limit, _sought) as gone;
  elsif _place = 'workflows' then
    select count(*) as n, (array_agg(p.id order by p.id) filter (where p.is_meant))[1] as id, max(p.id::text) as highest
    into _found
    from (
      select w.id, pgqueue.is_sought(_sought, null, w.labels, null) as is_meant from pgqueue.workflows as w
      where w.id > _from order by w.id limit _limit) as p;
    if _found.id is null then
      removed := '{}';
      last := case when _found.n = _limit then json_build_array(_found.highest) end;
    else
      select gone.removed, gone.running, gone.more into removed, running, _more
      from pgqueue.erase_workflow(_found.id, _limit) as gone;
      -- A rehearsal is rolled back: the same would come again.
      last := json_build_array(case when _more and not _once then _from else _found.id end);
    end if;
  else
    select found.ids, found.last into _found
    from pgqueue.sought_behind(_place, _from, _limit, _sought, _once) as found;
    last := case when _found.last is not null then json_build_array(_found.last) end;
    removed := '{}';
    if _found.ids <> '{}' then
      select gone.removed, gone.running into removed, running from pgqueue.erase_jobs(_found.ids) as gone;
    end if;
  end if;
end $$;
