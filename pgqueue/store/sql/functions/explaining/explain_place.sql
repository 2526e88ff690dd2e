-- How many jobs that are due come before this one: a part of explain(). Of higher priorities in its queue, and of its own
-- those that are due for longer; in a lane, the lane's alone, as lanes take turns. Counts 10,001 at most. How long that
-- takes is arithmetics on what workers have counted in the last five minutes.
-- Walks jobs_claim or jobs_lane, two ranges, and holds_pkey, tallies_span; O(10 log n + 15,000).
create or replace function pgqueue.explain_place(_job pgqueue.jobs)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := statement_timestamp();
  _most constant int := 10001;
  _higher int;
  _earlier int;
  _sum int;
  _shown text;
  _per_min float8;
  -- The end of the newest minute that every worker has told of.
  _told constant timestamptz := date_trunc('minute', now()) - interval '1 minute';
begin
  code := 'behind';
  if not pgqueue.is_walkable() then
    text := 'how many jobs come before it was not counted: very many dead rows lie at the heads of the queues';
    cure := 'pgqueue doctor --only horizon';
    detail := '{}';
    return next;
    return;
  end if;
  if _job.hold is not null
    and exists (select from pgqueue.holds as h where h.name = 'k:' || _job.limit_key and h.seq = _job.hold)
  then
    -- It kept its share while it waited, and so the turn.
    _higher := 0;
    _earlier := 0;
  elsif _job.lane is null then
    _higher := (
      select count(*) from (
        select
        from generate_series(9, _job.priority + 1, -1) as slot (priority)
        cross join lateral (
          select from pgqueue.jobs as j
          where j.worker is null and j.lane is null and j.queue = _job.queue and j.priority = slot.priority
            and j.run_at <= _now
          order by j.run_at, j.id
          limit _most) as due
        limit _most) as counted);
    _earlier := (
      select count(*) from (
        select from pgqueue.jobs as j
        where j.worker is null and j.lane is null and j.queue = _job.queue and j.priority = _job.priority
          and (j.run_at, j.id) < (_job.run_at, _job.id)
        order by j.run_at, j.id
        limit _most - _higher) as counted);
  else
    _higher := (
      select count(*) from (
        select
        from generate_series(9, _job.priority + 1, -1) as slot (priority)
        cross join lateral (
          select from pgqueue.jobs as j
          where j.worker is null and j.lined and j.queue = _job.queue and j.priority = slot.priority and j.lane = _job.lane
          order by j.run_at, j.id
          limit _most) as due
        limit _most) as counted);
    _earlier := (
      select count(*) from (
        select from pgqueue.jobs as j
        where j.worker is null and j.lined and j.queue = _job.queue and j.priority = _job.priority and j.lane = _job.lane
          and (j.run_at, j.id) < (_job.run_at, _job.id)
        order by j.run_at, j.id
        limit _most - _higher) as counted);
  end if;
  _sum := _higher + _earlier;
  if _sum > 0 and _job.lane is null then
    _per_min := (
      select sum(counted.ended) / 5.0 from pgqueue.tallied(_told - interval '5 minutes', _told, 5000) as counted
      where counted.queue = _job.queue and counted.span = 60);
  end if;
  _shown := case when _sum >= _most then 'more than 10,000' else to_char(_sum, 'FM999,999') end;
  holds := _sum > 0;
  text := case
    when not holds then 'first in line'
    else format('behind %s job%s of %s%s', _shown, case when _sum = 1 then '' else 's' end,
                case when _job.lane is null then 'queue ' || _job.queue else 'its lane' end,
                case when _higher > 0 then format(' (%s of higher priority)', to_char(_higher, 'FM999,999')) else '' end)
      || case when _per_min > 0 and _sum < _most
              then format('; about %s at %s a minute', pgqueue.time_between(_now, _now + make_interval(mins => 1) * (_sum / _per_min)),
                          round(_per_min::numeric, case when _per_min < 10 then 1 else 0 end)) else '' end end;
  detail := jsonb_strip_nulls(jsonb_build_object(
    'jobs', _sum, 'higher', _higher, 'earlier', _earlier, 'counted_to_the_end', _sum < _most, 'per_min', _per_min));
  cure := case when not holds then null
               when _job.lane is null and _job.priority < 9 then format('pgqueue jobs priority %s 9', _job.id)
               else 'pgqueue worker -A ' || pgqueue.shell_word(split_part(_job.target, ':', 1)) end;
  return next;
end $$;
