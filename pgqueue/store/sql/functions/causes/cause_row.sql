-- A cause, and how it stands: `dead` jobs have it, counted up to _most, `more` says that there are more; so many attempts
-- failed of it (`failures`) within _within. `state`: muted, regression (met again since it was resolved), resolved, new
-- (first met within _within), or null. No row if nobody ever met it.
-- Walks causes_pkey, dead_jobs_cause and tallies_cause, 5,000 rows of it at most; O(_most + log n).
create or replace function pgqueue.cause_row(_cause text, _within interval, _most int)
returns table (
  cause text, state text, target text, error_type text, error text, title text, note text, assignee text,
  first_at timestamptz, last_at timestamptz, muted_until timestamptz, resolved_at timestamptz, resolved_release text,
  dead bigint, more boolean, failures bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _known pgqueue.causes;
  _newest record;
  _jobs bigint;
  _met record;
begin
  select * into _known from pgqueue.causes as c where c.cause = _cause;
  select d.target, d.error_type, left(d.error, 500) as error, d.died_at into _newest
  from pgqueue.dead_jobs as d where d.cause = _cause order by d.id desc limit 1;
  select count(*) into _jobs from (select from pgqueue.dead_jobs as d where d.cause = _cause limit _most + 1) as first;
  select coalesce(sum(counted.n), 0)::bigint as n, max(counted.minute) as minute, min(counted.target) as target into _met
  from (
    select t.n, t.minute, t.target from pgqueue.tallies as t
    where t.cause = _cause and t.minute >= now() - _within and t.outcome <> 'late'
    order by t.minute desc limit 5000) as counted;
  if coalesce(_known.cause, _newest.target, _met.target) is null then
    return;
  end if;
  last_at := greatest(_newest.died_at, _met.minute, pgqueue.last_met(_cause));
  return query
  select _cause,
         case when _known.muted_until > now() then 'muted'
              when last_at >= _known.resolved_at then 'regression'
              when _known.resolved_at is not null then 'resolved'
              when _known.first_at > now() - _within then 'new' end,
         coalesce(_known.target, _newest.target, _met.target), coalesce(_known.error_type, _newest.error_type),
         coalesce(_known.error, _newest.error), _known.title, _known.note, _known.assignee, _known.first_at, last_at,
         _known.muted_until, _known.resolved_at, _known.resolved_release, least(_jobs, _most), _jobs > _most, _met.n;
end $$;
