-- The next lanes of a slot (queue, priority) behind _after, and up to _until, each with the rules that it is under: the
-- names under which it is counted, and the numbers. A key is ruled by its own rule, else by that of the longest prefix;
-- a lane of a limited task has its target behind a \x01, and the task's rule beside the key's. Null: no lane is left.
-- A loose scan of jobs_lane, one probe a lane; and of limits_pkey, one a length of prefix; O(_limit log n).
create or replace function pgqueue.next_lanes(
  _queue text, _priority smallint, _after text, _until text, _limit int)
returns pgqueue.lane[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
declare
  _names text[];
  _lengths int[];
begin
  with recursive walk as (
    (select j.lane, 1 as n from pgqueue.jobs as j
     where j.lined and j.queue = _queue and j.priority = _priority and j.lane > _after
     order by j.queue, j.priority, j.lane limit 1)
    union all
    select (select j.lane from pgqueue.jobs as j
            where j.lined and j.queue = _queue and j.priority = _priority and j.lane > walk.lane
            order by j.queue, j.priority, j.lane limit 1), walk.n + 1
    from walk
    -- The end is asked outside of the probe: as a filter it would walk all that lies behind it.
    where walk.lane is not null and walk.n < _limit and (_until is null or walk.lane <= _until)
  )
  select array_agg(walk.lane order by walk.n) into _names
  from walk where walk.lane is not null and (_until is null or walk.lane <= _until);
  if _names is null then
    return null;
  end if;
  with recursive lengths as (
    (select length(l.name) as n from pgqueue.limits as l
     where l.scope = 'key' and right(l.name, 1) = '*' order by length(l.name) limit 1)
    union all
    select (select length(l.name) from pgqueue.limits as l
            where l.scope = 'key' and right(l.name, 1) = '*' and length(l.name) > lengths.n
            order by length(l.name) limit 1)
    from lengths where lengths.n is not null
  )
  select array_agg(lengths.n) into _lengths from lengths where lengths.n is not null;
  return (
    select array_agg((
        said.lane, said.target, coalesce(k.weight, 1), coalesce(k.ordered, false),
        k.adopted is not false and t.adopted is not false,
        case when k.concurrency is not null or k.starts is not null then 'k:' || said.key end,
        k.concurrency, k.starts, k.period, coalesce(k.burst, k.starts),
        case when t.concurrency is not null or t.starts is not null then 't:' || said.target end,
        t.concurrency, t.starts, t.period, coalesce(t.burst, t.starts),
        null, null, null, null, null, null)::pgqueue.lane
      order by said.n)
    from (
      select walked.lane, walked.n, nullif(split_part(walked.lane, chr(1), 1), '') as key,
             nullif(split_part(walked.lane, chr(1), 2), '') as target
      from unnest(_names) with ordinality as walked (lane, n)) as said
    left join lateral (
      select * from pgqueue.limits as l
      where l.scope = 'key' and l.name = any (
        array(select left(said.key, n - 1) || '*' from unnest(_lengths) as n where n <= length(said.key) + 1)
        || said.key)
      order by l.name = said.key desc, length(l.name) desc
      limit 1) as k on true
    left join lateral (
      select * from pgqueue.limits as l where l.scope = 'task' and l.name = said.target offset 0) as t on true);
end $$;
