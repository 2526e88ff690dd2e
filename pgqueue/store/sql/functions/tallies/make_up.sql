-- What a worker had settled and not counted when it vanished, counted from the history; one worker a call. Answers
-- whether there was one. Looks at the newest _most attempts by the ids of their jobs, and at the last _most / 40 pages,
-- where what was appended last is as a rule; where that is not all, the rows are `degraded`: some may be missing.
-- The reports of workers that have counted all go, too. Lost attempts were counted by who took them back. Walks attempts_pkey backwards; O(_most log n).
create or replace function pgqueue.make_up(_most int default 20000) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _worker bigint;
  _until timestamptz;
  -- Where attempts are partitioned, today's.
  _place constant text := pgqueue.partition_at('attempts', clock_timestamp());
  _pages constant bigint := pg_relation_size(to_regclass(format('pgqueue.%I', _place)))
    / current_setting('block_size')::int;
  _first constant bigint := greatest(0, _pages - _most / 40);
  _is_all constant boolean := _first = 0 and _place = 'attempts';
begin
  delete from pgqueue.worker_reports as told
  where told.tallied_until = 'infinity'
    and not exists (select from pgqueue.workers as w where w.id = told.id offset 0);
  select left_over.id, left_over.tallied_until into _worker, _until
  from pgqueue.worker_reports as left_over
  where not exists (select from pgqueue.workers as w where w.id = left_over.id offset 0)
  order by left_over.id
  limit 1
  for update skip locked;
  if not found then
    return false;
  end if;
  perform pgqueue.tally(jsonb_agg(to_jsonb(made_up)))
  from (
    select date_trunc('minute', missed.finished_at) as minute, _worker as worker, missed.queue, missed.target,
           missed.outcome, missed.cause, count(*) as n,
           count(*) filter (where missed.ends) as ended,
           pgqueue.histogram(array_agg(extract(epoch from missed.started_at - missed.run_at)::float8)) as wait,
           pgqueue.histogram(array_agg(extract(epoch from missed.finished_at - missed.started_at)::float8)) as run,
           not _is_all as degraded
    from (
      select last.job_id, last.claim, last.queue collate "C", last.target collate "C", last.outcome collate "C",
             last.cause collate "C", last.run_at, last.started_at, last.finished_at, last.ends
      from pgqueue.lately_appended(_place, _first, _worker, _until) as last
      union
      select newest.job_id, newest.claim, newest.queue, newest.target, newest.outcome, newest.cause, newest.run_at,
             newest.started_at, newest.finished_at, newest.args is not null
      from (
        select a.* from pgqueue.attempts as a
        order by a.job_id desc limit case when _is_all then 0 else _most end) as newest
      where newest.worker = _worker and newest.finished_at > _until) as missed
    where missed.outcome not in ('lost', 'late')
    group by 1, missed.queue, missed.target, missed.outcome, missed.cause
    limit 5000) as made_up
  having count(*) > 0;
  delete from pgqueue.worker_reports as made where made.id = _worker;
  return true;
end $$;
