-- (nothing) -> ready | scheduled, for one tick of a schedule, and the record of it; answers the job's id and `did`: what
-- became of the tick. Null, and nothing is done, if it has been decided before: a tick that has a row never fires.
-- `skipped` is recorded alone; a tick is left out by `overlap` while the job of the one before lives; `kept` is one
-- whose unique key another job has, `replaced` one that such a job took over, as it waited. What falls due at its tick has it as run_at; what comes later, the moment it comes.
-- Walks ticks_pkey, jobs_pkey, jobs_unique; O(log n).
create or replace function pgqueue.enqueue_tick(
  _s pgqueue.schedules, _at timestamptz, _why text, out job_id uuid, out did text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _wanted constant boolean := _why <> 'skipped' and not (
    _s.overlap = 'skip' and _why <> 'by hand'
    and exists (select from pgqueue.jobs as job where job.id = _s.last_job));
  _id constant uuid := case when _wanted then pgqueue.uuid7() end;
  _due constant timestamptz := case when _why = 'due' then _at else clock_timestamp() end;
  _run_at constant timestamptz := _due + make_interval(secs => random() * _s.jitter);
  _ttl constant interval := make_interval(secs => _s.ttl);
  _labels constant jsonb := pgqueue.labels_of_tick(_s.labels, _s.name, _at);
  _before constant text := pgqueue.act_for(coalesce(_s.tenant, current_setting('pgqueue.tenant', true)));
  _added record;
begin
  did := case when _wanted or _why = 'skipped' then _why else 'overlap' end;
  insert into pgqueue.ticks (schedule, scheduled_for, why, job_id) values (_s.name, _at, did, _id)
  on conflict do nothing;
  if not found or not _wanted then
    did := case when found then did end;
    perform pgqueue.act_for(_before);
    return;
  end if;
  if coalesce(_s.unique_until, _s.unique_for::text, _s.on_conflict, _s.cost::text) is null then
    select added.id, added.created, false as replaced into _added
    from pgqueue.enqueue_job(
      _id, false, _s.target, _s.args, _s.queue, _s.priority, null, _run_at, _ttl, _s.timeout, _s.max_attempts,
      _s.unique_key, _s.limit_key, _s.store_result, _labels) as added;
  else
    select added.id, added.created, added.replaced into _added
    from pgqueue.enqueue_keyed(
      _id, false, _s.target, _s.args, _s.queue, _s.priority, null, _run_at, _ttl, _s.timeout, _s.max_attempts,
      _s.unique_key, _s.limit_key, _s.store_result, _labels, coalesce(_s.unique_until = 'start', false),
      make_interval(secs => _s.unique_for), _s.on_conflict, make_interval(secs => _s.max_wait), _s.cost,
      null) as added;
  end if;
  job_id := _added.id;
  if not _added.created then
    did := case when _added.replaced then 'replaced' else 'kept' end;
    update pgqueue.ticks as tick set why = did, job_id = enqueue_tick.job_id
    where tick.schedule = _s.name and tick.scheduled_for = _at;
  end if;
  perform pgqueue.act_for(_before);
end $$;
