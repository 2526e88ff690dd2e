-- What was decided about schedules that this transaction holds, and whose jobs neither have a unique key nor look at the
-- one before (_plain[n]; null or false: it is not for here): jobs and ticks by one statement each. The rest is as in
-- fire.sql.
-- Answers how many jobs were enqueued.
-- Walks schedules_pkey, ticks_pkey and what enqueue_jobs walks; O(ticks log n).
create or replace function pgqueue.fire_together(
  _plain boolean[], _names text[], _nexts timestamptz[], _tzdata text, _of int[], _ticks timestamptz[], _whys text[],
  _now timestamptz)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  _new record;
  _said record;
begin
  with noted as (
    insert into pgqueue.ticks (schedule, scheduled_for, why, job_id)
    select _names[tick.n], tick.at, tick.why, case when tick.why <> 'skipped' then pgqueue.uuid7() end
    from unnest(_of, _ticks, _whys) as tick (n, at, why)
    where _plain[tick.n] and tick.at <= _now
    on conflict do nothing
    returning schedule, scheduled_for, why, job_id
  )
  select array_agg(noted.schedule) as schedules, array_agg(noted.scheduled_for) as ats, array_agg(noted.job_id) as ids,
         array_agg(s.target) as targets, array_agg(s.args::text) as args, array_agg(s.queue) as queues,
         array_agg(s.priority) as priorities, array_agg(s.ttl) as ttls, array_agg(s.timeout) as timeouts,
         array_agg(s.max_attempts) as max_attempts, array_agg(s.limit_key) as limit_keys,
         array_agg(s.store_result) as store_results,
         array_agg(pgqueue.labels_of_tick(s.labels, noted.schedule, noted.scheduled_for)::text) as labels,
         array_agg(case when noted.why = 'due' then noted.scheduled_for else _now end
                   + make_interval(secs => random() * s.jitter)) as run_ats
  into _new
  from noted
  -- Limited: as a plain join it could be turned round, and walk all schedules for each.
  cross join lateral (select each.* from pgqueue.schedules as each where each.name = noted.schedule limit 1) as s
  where noted.job_id is not null;
  if _new.ids is not null then
    perform pgqueue.enqueue_jobs(
      _new.ids, '{}', _new.targets, _new.args, _new.queues, _new.priorities, '{}', _new.run_ats, _new.ttls,
      _new.timeouts, _new.max_attempts, '{}', _new.limit_keys, _new.store_results, _new.labels);
  end if;

  for _said in
    select each.name, min(each.next_at) as next_at, max(each.last_at) as last_at,
           (array_agg(each.job order by each.last_at desc) filter (where each.job is not null))[1] as last_job
    from (
      select _names[n] as name, _nexts[n] as next_at, null::timestamptz as last_at, null::uuid as job
      from generate_subscripts(_names, 1) as n where _plain[n]
      union all
      -- What is still to come is looked at again then.
      select _names[tick.n], case when tick.at > _now then tick.at end, case when tick.at <= _now then tick.at end, null
      from unnest(_of, _ticks) as tick (n, at) where _plain[tick.n]
      union all
      select fired.name, null, fired.at, fired.id from unnest(_new.schedules, _new.ats, _new.ids) as fired (name, at, id)
    ) as each
    group by each.name
  loop
    -- One by one, by the primary key, for the same reason.
    update pgqueue.schedules as s
    set next_at = _said.next_at, last_at = coalesce(_said.last_at, s.last_at),
        last_job = coalesce(_said.last_job, s.last_job), tzdata = _tzdata, fault = null
    where s.name = _said.name;
  end loop;
  return coalesce(cardinality(_new.ids), 0);
end $$;
