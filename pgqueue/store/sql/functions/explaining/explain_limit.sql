-- How one limit stands to the next start of something that counts as _cost starts: a part of explain_limits(). _name is
-- what its shares are counted under, _named the key, task or queue that it holds back.
-- Walks holds_pkey, meters_pkey, jobs_pkey; O(concurrency), 1,000 shares at most.
create or replace function pgqueue.explain_limit(_rule pgqueue.limits, _named text, _cost int)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _name constant text := left(_rule.scope, 1) || ':' || _named;
  _words constant text := format('limit of %s %s', _rule.scope, _named)
    || case when _rule.name <> _named then format(' (%s)', _rule.name) else '' end;
  -- What a command says before and behind the number: which limit is meant.
  _set constant text := 'pgqueue limits set ' || case when _rule.scope <> 'key'
    then format('--%s=%s ', _rule.scope, pgqueue.shell_word(_rule.name)) else '' end;
  _key constant text := case when _rule.scope = 'key' then ' -- ' || pgqueue.shell_word(_rule.name) else '' end;
  _held int;
  _holders jsonb;
  _room int;
  _again timestamptz;
  _need int;
begin
  if _rule.concurrency is null and _rule.starts is null then
    return;
  end if;
  detail := jsonb_strip_nulls(jsonb_build_object('scope', _rule.scope, 'name', _rule.name, 'of', _named,
                                                 'concurrency', _rule.concurrency));
  if not _rule.adopted then
    code := 'limit_new';
    holds := true;
    text := format('the %s is new: nothing starts under it until a worker has counted what runs', _words);
    return next;
    return;
  end if;
  if _rule.concurrency is not null then
    _held := pgqueue.held(_name, least(_rule.concurrency, 1000));
    _holders := (
      select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('job', h.job_id, 'until', h.expires_at)))
      from (
        select h.job_id, h.expires_at from pgqueue.holds as h
        where h.name = _name and (h.expires_at is null or h.expires_at > _now)
        limit 5) as h);
    code := 'limit_full';
    holds := _held >= _rule.concurrency;
    text := case when holds
      then format('the %s is full: %s of %s shares are taken, by %s', _words, _held, _rule.concurrency, (
             select string_agg(coalesce(h ->> 'job', 'code outside of jobs'), ', ')
                      || case when _held > 5 then format(' and %s more', _held - 5) else '' end
             from jsonb_array_elements(_holders) as h))
      else format('%s: %s of %s shares are taken', _words,
                  case when _held >= 1000 then 'more than 1,000' else _held::text end, _rule.concurrency) end;
    detail := detail || jsonb_build_object('taken', _held, 'holders', coalesce(_holders, '[]'));
    cure := case when holds then format('%s--concurrency %s%s', _set, _rule.concurrency + 1, _key) end;
    return next;
  end if;
  if _rule.starts is not null then
    select m.room, m.again_at into _room, _again
    from pgqueue.meter_room(_name, _rule.starts, _rule.period, coalesce(_rule.burst, _rule.starts)) as m;
    _need := least(_cost, coalesce(_rule.burst, _rule.starts));
    code := 'rate';
    holds := _room < _need;
    _again := case when holds then coalesce(_again, _now + make_interval(secs => _rule.period / 40)) end;
    text := case when holds
      then format('the rate of the %s is used up (%s in %s s): the next start is possible in %s', _words, _rule.starts,
                  _rule.period, pgqueue.time_between(_now, greatest(_now, _again)))
      else format('%s: its rate leaves room for %s', _words, _room) end;
    detail := jsonb_strip_nulls(jsonb_build_object(
      'scope', _rule.scope, 'name', _rule.name, 'of', _named, 'starts', _rule.starts, 'period', _rule.period,
      'burst', _rule.burst, 'room', _room, 'again_at', _again));
    cure := case when holds then format('%s--rate none%s', _set, _key) end;
    return next;
  end if;
end $$;
