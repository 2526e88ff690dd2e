-- Why a job is where it is: every reason that there can be, in order, and whether it holds; null, if that could not be
-- told. The first that holds is the answer; before them, as number 0, what the job is. No row: there is no such job.
-- Each reason has a name that stays (`code`), a line for people, its facts, and what to do about it.
-- Changes and locks nothing. Each part is bounded, whatever the tables hold: see them for what they walk.
create or replace function pgqueue.explain(_id uuid)
returns table (ord int, code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := statement_timestamp();
  _job pgqueue.jobs;
  _avoid text;
  _any boolean := false;
  _deaf int;
begin
  select * into _job from pgqueue.jobs as job where job.id = _id;
  if not found then
    return query
    select (row_number() over () - 1)::int, waiting.code, waiting.holds, said.*
    from pgqueue.explain_waiting(_id) as waiting,
         pgqueue.within_bounds(waiting.text, waiting.detail, waiting.cure) as said;
    if found then
      return;
    end if;
    return query
    select (row_number() over () - 1)::int, ended.code, ended.holds, said.*
    from pgqueue.explain_ended(_id) as ended, pgqueue.within_bounds(ended.text, ended.detail, ended.cure) as said;
    return;
  end if;
  -- Not needed, and perhaps very large, or lost.
  _job.args := 'null';
  _job.labels := null;
  ord := 0;
  code := 'state';
  holds := false;
  detail := jsonb_strip_nulls(jsonb_build_object(
    'id', _job.id, 'state', case when _job.worker = -1 then 'manual' when _job.worker is not null then 'running'
                                 when _job.run_at <= _now then 'ready'
                                 when _job.attempt > 0 then 'retrying' else 'scheduled' end,
    'queue', _job.queue, 'target', _job.target, 'priority', _job.priority, 'attempt', _job.attempt,
    'max_attempts', _job.max_attempts, 'run_at', _job.run_at, 'limit_key', _job.limit_key));
  text := format('%s, attempt %s, queue %s, priority %s, target %s', detail ->> 'state', _job.attempt, _job.queue,
                 _job.priority, _job.target);
  select * into text, detail, cure from pgqueue.within_bounds(text, detail, cure);
  return next;
  if _job.worker = -1 then
    return query
    select 1, manual.code, true, said.*
    from pgqueue.explain_manual(_job) as manual,
         pgqueue.within_bounds(manual.text, manual.detail, manual.cure) as said;
    return;
  end if;
  if _job.worker is not null then
    return query
    select (row_number() over ())::int, running.code, running.holds, said.*
    from pgqueue.explain_running(_job) as running,
         pgqueue.within_bounds(running.text, running.detail, running.cure) as said;
    return;
  end if;

  _avoid := case when _job.run_at > _now - interval '30 seconds' then _job.avoid_host end;
  for code, holds, text, detail, cure in
    select * from pgqueue.explain_times(_job)
    union all
    select * from pgqueue.explain_pause(_job.queue)
    union all
    select * from pgqueue.explain_limits(_job)
    union all
    select * from pgqueue.explain_workers(_job.queue, _job.target, _avoid)
    union all
    select * from pgqueue.explain_lock(_job.id)
    union all
    select each.* from pgqueue.explain_place(_job) as each where _job.run_at <= _now
    union all
    select * from pgqueue.explain_slots(_job.queue, _job.target)
  loop
    ord := ord + 1;
    _any := _any or coalesce(holds, false);
    select * into text, detail, cure from pgqueue.within_bounds(text, detail, cure);
    return next;
  end loop;

  -- These two are no reasons that could be ruled out: they are told if they hold.
  if not _any and _job.run_at > _now - interval '30 seconds' then
    ord := ord + 1;
    code := 'ready';
    holds := true;
    text := 'nothing holds it back: a worker takes it at its next look';
    detail := '{}';
    cure := null;
    _any := true;
    return next;
  end if;
  select * into code, holds, text, detail, cure from pgqueue.explain_horizon();
  ord := ord + 1;
  _any := _any or coalesce(holds, false);
  return next;
  _deaf := (
    select count(*) from pgqueue.reported(array(
      select w.id from pgqueue.workers as w
      where w.expires_at > clock_timestamp() and w.asked is null and pgqueue.serves(w.queues, _job.queue))) as told
    where not told.listening);
  if not _any or _deaf > 0 then
    ord := ord + 1;
    code := 'deaf';
    holds := not _any;
    text := case
      when holds then format('due for %s, with nothing that holds it back, and no worker takes it: they may be deaf, or in '
                             || 'trouble with this database', pgqueue.time_between(_job.run_at, _now))
      else format('%s of the workers that serve its queue find new jobs by polling alone', _deaf) end;
    detail := jsonb_build_object('run_at', _job.run_at, 'polling_alone', _deaf);
    cure := case when holds then 'pgqueue doctor' end;
    return next;
  end if;
end $$;
