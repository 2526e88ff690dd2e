-- Causes of which jobs died within the 10 minutes before _now: that nobody had died of, that were resolved, of which many
-- die (_burst), or whose alert is open. `n` is how many since it opened. Not those that are muted; nor of our own messages.
-- The error's text is not told: it may hold what is secret, and whose it was is not known.
-- What workers tell once a minute is seen a minute late. At most 1,000 of them. Reads 20,000 rows of tallies; of a cause
-- 5,000 and 50 dead jobs. Walks tallies_span, tallies_cause, causes_pkey, dead_jobs_cause.
create or replace function pgqueue.bad_causes(_now timestamptz, _burst float8)
returns table (object text, n bigint, since timestamptz, facts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with met as materialized (
    select counted.cause, sum(counted.ended)::bigint as dead, min(counted.minute) as first, max(counted.minute) as last,
           min(counted.queue) as queue
    from pgqueue.tallied(_now - interval '10 minutes', _now, 20000) as counted
    where counted.cause <> 'other' and counted.ended > 0 and counted.outcome <> 'late'
      and counted.queue <> 'pgqueue.alerts'
    group by counted.cause
  ), judged as (
    select met.*, known.target, known.error_type, known.title,
           coalesce(case when before.state <> 'well' then before.opened_at end, met.first) as since,
           coalesce(before.state <> 'well', false) as is_open,
           case when before.state <> 'well' then before.facts ->> 'why'
                when known.resolved_at <= met.last then 'regression'
                when met.dead >= _burst then 'burst'
                when before.told_at is null and not exists (
                  select from (
                    select d.died_at from pgqueue.dead_jobs as d where d.cause = met.cause order by d.id limit 50) as first
                  where first.died_at < met.first - interval '1 minute') then 'new' end as why
    from met
    cross join lateral (
      select c.* from pgqueue.causes as c
      where c.cause = met.cause and (c.muted_until is null or c.muted_until <= _now) limit 1) as known
    left join lateral (
      select a.* from pgqueue.alerts as a where a.key = 'dead:' || met.cause limit 1) as before on true
  )
  select judged.cause,
         (select coalesce(sum(t.ended), 0)::bigint from (
            select counted.ended from pgqueue.tallies as counted
            where counted.cause = judged.cause and counted.minute >= date_trunc('minute', judged.since)
            order by counted.minute desc limit 5000) as t),
         judged.since,
         jsonb_strip_nulls(jsonb_build_object(
           'why', case when judged.why = 'new' and judged.dead >= _burst then 'burst' else judged.why end,
           'target', left(judged.target, 300), 'error_type', left(judged.error_type, 300),
           'title', left(judged.title, 300), 'queue', left(judged.queue, 300), 'last', judged.last))
  from judged
  where judged.why is not null
  -- Which is open stays so, however many others there are.
  order by judged.is_open desc, judged.dead desc
  limit 1000;
end $$;
