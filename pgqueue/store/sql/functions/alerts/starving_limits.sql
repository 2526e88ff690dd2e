-- Limits that hold back a job which has been due for as long as alert_bound() has it: of the first jobs of 50 queues and
-- of the first of their lanes, 50 jobs at most, those that explain_limits() finds held.
-- Walks jobs_claim and jobs_lane, a probe for each priority; costs what explain_limits() costs for 50 jobs.
create or replace function pgqueue.starving_limits(_now timestamptz)
returns table (object text, n bigint, since timestamptz, facts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _bound constant float8 := (
    select min(each.bound) from (
      select pgqueue.alert_bound('limit_starved') as bound
      union all
      (select r.bound from pgqueue.alert_rules as r where r.kind = 'limit_starved' limit 1000)) as each);
begin
  if _bound is null or not exists (select from pgqueue.limits) then
    return;
  end if;
  return query
  with old as materialized (
    select due.job
    from pgqueue.first_queues(50) as served (queue)
    cross join generate_series(0, 9) as slot (priority)
    cross join lateral (
      (select j as job from pgqueue.jobs as j
       where j.worker is null and j.lane is null and j.queue = served.queue and j.priority = slot.priority
         and j.run_at < _now - make_interval(secs => _bound)
       order by j.run_at, j.id limit 1)
      union all
      (select (array_agg(first.job order by first.run_at))[1]
       from (
         select j as job, j.run_at, j.lane from pgqueue.jobs as j
         where j.worker is null and j.lined and j.queue = served.queue and j.priority = slot.priority
         order by j.lane, j.run_at, j.id limit 200) as first
       where first.run_at < _now - make_interval(secs => _bound)
       group by first.lane
       limit 20)) as due
    where not exists (
      select from pgqueue.queues as q where q.name = served.queue and pgqueue.is_paused(q.paused, q.paused_until))
    limit 50
  ), held as (
    select (why.detail ->> 'scope') || ':' || coalesce(why.detail ->> 'of', why.detail ->> 'name') as object,
           (old.job).run_at, (old.job).id, (old.job).target, why.text, why.cure
    from old
    cross join lateral pgqueue.explain_limits(old.job) as why
    where why.holds and why.detail ? 'scope'
  )
  select held.object, 0::bigint, min(held.run_at),
         jsonb_build_object('text', left(min(held.text), 600), 'cure', min(held.cure), 'job', min(held.id::text),
                            'target', left(min(held.target), 300))
  from held
  where held.run_at < _now - make_interval(secs => pgqueue.alert_bound('limit_starved', held.object))
  group by held.object
  limit 50;
end $$;
