-- What a waiting job waits for by itself: its time, a worker that knows its target, the end of its ttl, and what a durable
-- function waits for: a part of explain(). Walks parked_pkey, waits_pkey, attempts_pkey backwards (one attempt); O(log n).
create or replace function pgqueue.explain_times(_job pgqueue.jobs)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := statement_timestamp();
  _parked pgqueue.parked;
  _wait pgqueue.waits;
  _last record;
  _known boolean;
  _nearest text;
  _coming constant boolean := _job.run_at > _now;
  _until constant text := to_char(_job.run_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"');
begin
  if _job.expires_at is not null then
    code := 'expired';
    holds := _job.expires_at <= _now;
    text := case when holds then format('its ttl ended %s ago: it is never started, and the next claim ends it',
                                        pgqueue.time_between(_job.expires_at, _now))
                 else format('its ttl ends in %s', pgqueue.time_between(_now, _job.expires_at)) end;
    detail := jsonb_build_object('expires_at', _job.expires_at);
    return next;
  end if;

  select * into _parked from pgqueue.parked as p where p.job_id = _job.id and p.claim = _job.claim;
  if found then
    _known := exists (
      select from pgqueue.workers as w
      left join pgqueue.targets as known on known.hash = w.targets
      where w.expires_at > clock_timestamp() and pgqueue.serves(w.queues, _job.queue)
        and _job.target <> all (coalesce(w.unknown, '{}'))
        and (known.hash is null or known.names && pgqueue.covering_names(_job.target)));
    _nearest := case when not _known then pgqueue.nearest_target(_job.target) end;
    code := 'unregistered';
    holds := true;
    text := format('no worker that took it knew %s, for %s now; %s', _job.target,
                   pgqueue.time_between(_parked.since, _now),
                   case when _known then 'a live one may, and looks at it within a minute'
                        else format('given up in %s%s', pgqueue.time_between(_now, _parked.until),
                                    coalesce('; the nearest task is ' || _nearest, '')) end);
    detail := jsonb_strip_nulls(jsonb_build_object(
      'target', _job.target, 'since', _parked.since, 'until', _parked.until, 'known', _known, 'nearest', _nearest));
    cure := case when not _known then 'pgqueue worker -A ' || pgqueue.shell_word(split_part(_job.target, ':', 1)) end;
    return next;
    return;
  end if;

  select * into _wait from pgqueue.waits as w where w.job_id = _job.id and w.claim = _job.claim;
  if found and _coming then
    code := case when _wait.kind = 'sleep' then 'sleeping' else 'waiting' end;
    holds := true;
    text := format(
      '%s, for %s now%s',
      case when _wait.kind = 'sleep' then format('its step %s sleeps', quote_literal(_wait.step))
           when _wait.name <> 'pgqueue:end' then format('it waits for the signal %s', quote_literal(_wait.name))
           else format('it waits for the end of job %s%s', _wait.scope,
                       case when _wait.place > 1 then format(', and perhaps of %s more', _wait.place - 1) else '' end)
      end,
      pgqueue.time_between(_wait.since, _now),
      case when _job.run_at < _now + interval '50 years'
           then format('; until %s at most', _until) else '; without an end' end);
    detail := jsonb_strip_nulls(jsonb_build_object(
      'step', _wait.step, 'signal', nullif(_wait.name, 'pgqueue:end'), 'since', _wait.since,
      'job', case when _wait.name = 'pgqueue:end' then _wait.scope end, 'run_at', _job.run_at));
    cure := case when _wait.kind = 'wait' and _wait.name <> 'pgqueue:end'
                 then format('pgqueue signal %s %s', _job.id, pgqueue.shell_word(_wait.name)) end;
    return next;
    return;
  end if;

  select a.outcome, a.attempt, a.error_type, left(a.error, 500) as error into _last
  from pgqueue.attempts as a where a.job_id = _job.id and _coming order by a.claim desc limit 1;
  cure := case when _coming then 'pgqueue jobs retry ' || _job.id end;
  code := 'released';
  holds := _coming and coalesce(_last.outcome = 'released', false);
  detail := jsonb_strip_nulls(jsonb_build_object(
    'run_at', _job.run_at, 'error_type', _last.error_type, 'error', _last.error));
  if holds then
    text := format('given back by its attempt for another %s, until %s%s', pgqueue.time_between(_now, _job.run_at), _until,
                   coalesce(': ' || left(nullif(concat_ws(': ', _last.error_type, nullif(_last.error, '')), ''), 300), ''));
    return next;
    return;
  end if;
  code := case when _coming and _job.attempt > 0 then 'retrying' else 'scheduled' end;
  holds := _coming;
  text := case
    when not _coming then format('due for %s', pgqueue.time_between(_job.run_at, _now))
    when code = 'scheduled' then format('scheduled: not due for %s, until %s', pgqueue.time_between(_now, _job.run_at), _until)
    else format('retried in %s, at %s: attempt %s of %s %s%s', pgqueue.time_between(_now, _job.run_at), _until,
                _job.attempt, coalesce(_job.max_attempts::text, 'those that its task allows'),
                coalesce(_last.outcome, 'failed'),
                coalesce(': ' || left(nullif(concat_ws(': ', _last.error_type, nullif(_last.error, '')), ''), 300), ''))
    end;
  return next;
end $$;
