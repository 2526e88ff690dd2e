-- Write down the shares that picked jobs take of the limits of their lanes and queue, and charge the rates at the moment _at; answers the
-- numbers of the holds, in order, null for a job that has none. Under the locks of all these limits (claim_lanes.sql).
-- Walks holds_pkey, meters_pkey; O(batch log n).
create or replace function pgqueue.take_shares(
  _worker bigint, _all pgqueue.lane[], _queue_name text, _rule pgqueue.limits, _ids uuid[], _lanes int[], _costs int[],
  _kept bigint[], _at timestamptz)
returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _seq bigint;
  _holds bigint[];
begin
  if _rule.concurrency is not null
    or exists (select from unnest(_all) as l where l.key_most is not null or l.task_most is not null)
  then
    _seq := nextval('pgqueue.hold_numbers');
    -- Joined, because a subscript walks an array of such values from its beginning.
    with shares as materialized (
      select p.id, p.i, p.kept,
             coalesce(p.kept, _seq + p.i) as seq,
             case when l.key_most is not null and p.kept is null then l.key_name end as key,
             case when l.task_most is not null then l.task_name end as task,
             case when _rule.concurrency is not null then _queue_name end as queue
      from unnest(_ids, _lanes, _kept) with ordinality as p (id, n, kept, i)
      join (select u.key_most, u.key_name, u.task_most, u.task_name, row_number() over () as n
            from unnest(_all) as u) as l on l.n = p.n
    ), held as (
      insert into pgqueue.holds (name, seq, job_id, worker)
      select share.name, s.seq, s.id, _worker
      from shares as s
      cross join lateral (values (s.key), (s.task), (s.queue)) as share (name)
      where share.name is not null
    )
    select array_agg(case when s.kept is not null or s.key is not null or s.task is not null or s.queue is not null
                          then s.seq end
                     order by s.i)
    into _holds
    from shares as s;
  end if;
  if _rule.starts is null
    and not exists (select from unnest(_all) as l where l.key_starts is not null or l.task_starts is not null)
  then
    return _holds;
  end if;
  perform pgqueue.meter_charge(charged.name, charged.period, charged.n, _at)
  from (
    select rate.name, rate.period, sum(least(p.cost, rate.burst))::int as n
    from unnest(_lanes, _costs) as p (n, cost)
    cross join lateral (values
      (_all[p.n].key_name, _all[p.n].key_starts, _all[p.n].key_period, _all[p.n].key_burst),
      (_all[p.n].task_name, _all[p.n].task_starts, _all[p.n].task_period, _all[p.n].task_burst),
      (_queue_name, _rule.starts, _rule.period, coalesce(_rule.burst, _rule.starts)))
      as rate (name, starts, period, burst)
    where rate.starts is not null
    group by rate.name, rate.period
    order by rate.name) as charged;
  return _holds;
end $$;
