-- Why jobs fail: a row a cause that dead jobs have, or that workers have met within _within, at most _most of each; what
-- a row says is in cause_row.sql. Dead jobs are counted up to about 50,000 in all, and 10 to 1,000 of each cause.
-- A loose scan of dead_jobs_cause, tallies of that time, at most 50,000, and cause_row() for each; O(causes).
create or replace function pgqueue.cause_list(_within interval default '1 day', _most int default 1000)
returns table (
  cause text, state text, target text, error_type text, error text, title text, note text, assignee text,
  first_at timestamptz, last_at timestamptz, muted_until timestamptz, resolved_at timestamptz, resolved_release text,
  dead bigint, more boolean, failures bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with recursive among_dead (cause) as (
    (select d.cause from pgqueue.dead_jobs as d where d.cause is not null order by d.cause limit 1)
    union all
    select (select d.cause from pgqueue.dead_jobs as d where d.cause > among_dead.cause order by d.cause limit 1)
    from among_dead
    where among_dead.cause is not null
  ), met as (
    select counted.cause, sum(counted.n) as failures
    from pgqueue.tallied(now() - _within, now(), 50000) as counted
    where counted.cause <> 'other' and counted.outcome <> 'late'
    group by counted.cause
  ), named as (
    (select among_dead.cause from among_dead where among_dead.cause is not null limit _most)
    union
    (select met.cause from met order by met.failures desc limit _most)
  )
  select each.*
  from named
  cross join (select greatest(10, least(1000, 50000 / greatest(1, count(*))))::int as most from named) as share
  cross join lateral pgqueue.cause_row(named.cause, _within, share.most) as each
  order by each.last_at desc nulls last, each.cause;
end $$;
