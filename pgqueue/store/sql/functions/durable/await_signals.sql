-- What a durable function waits for: signals of this name to each of these jobs, or that so many seconds pass (null: no
-- end). Answers `there` and what came of it, as JSON: {"got": [payload, ...]}, or {"over": true}, and writes that down, so
-- that it stays so; or `wait` and the seconds that are left at most; `late` if the lease is gone.
-- A century where there is no end. Walks jobs_pkey, steps_pkey, signals_pkey once a job, waits_pkey; O(jobs log n).
create or replace function pgqueue.await_signals(
  _worker bigint, _id uuid, _claim int, _kind text, _step text, _nth int, _scopes uuid[], _name text, _seconds float8,
  out standing text, out result text, out seconds float8)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _until timestamptz := clock_timestamp() + make_interval(secs => _seconds);
  _place int;
begin
  if not pgqueue.has_claim(_worker, _id, _claim) then
    standing := 'late';
    return;
  end if;
  insert into pgqueue.steps (job_id, kind, name, nth, claim, until) values (_id, _kind, _step, _nth, _claim, _until)
  on conflict do nothing;
  select step.result::text, step.until into result, _until
  from pgqueue.steps as step where step.job_id = _id and step.kind = _kind and step.name = _step;
  if result is null then
    _place := pgqueue.next_awaited(_scopes, _name, cardinality(_scopes));
    result := case
      when _place is null then (
        select json_build_object('got', coalesce(json_agg(sent.payload order by told.n), '[]'))::text
        from unnest(_scopes) with ordinality as told (scope, n)
        cross join lateral (
          select s.payload from pgqueue.signals as s where s.scope = told.scope and s.name = _name offset 0) as sent)
      when _until <= clock_timestamp() then '{"over": true}' end;
    if result is not null then
      -- Of two attempts the first: the other one reads that.
      update pgqueue.steps as step set result = await_signals.result::json, at = clock_timestamp()
      where step.job_id = _id and step.kind = _kind and step.name = _step and step.result is null;
      if not found then
        select step.result::text into result
        from pgqueue.steps as step where step.job_id = _id and step.kind = _kind and step.name = _step;
      end if;
    end if;
  end if;
  if result is not null then
    standing := 'there';
    return;
  end if;
  perform pgqueue.note_wait(_id, _claim, _kind, _step, _name, _scopes, _place);
  standing := 'wait';
  seconds := least(coalesce(extract(epoch from _until - clock_timestamp()), 3.1e9), 3.1e9);
end $$;
