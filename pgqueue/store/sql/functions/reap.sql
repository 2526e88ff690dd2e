-- running -> retrying | dead, for the jobs of workers whose lease has expired; their attempts are counted as lost.
-- Guarded twice: the expired worker row is locked, and its advisory lock taken, so that neither a heartbeat nor a
-- claim can pass in between; each job only while that worker still has it. Dead when its attempts are used up, or
-- after three crashes in a row. Only the jobs that can have been running, the first `concurrency` in the order of their
-- claims, are suspected of the crash: those claimed ahead behind them are innocent.
-- Safe to run by everybody at once; waits for nobody: a job whose settlement is under way elsewhere is left to the
-- next reap, and its worker's row with it. Answers a row a worker: id, jobs taken back.
-- Costs one look at `workers` while all are well; scans `jobs` once when one has vanished.
create or replace function pgqueue.reap() returns table (worker bigint, jobs int)
language plpgsql
as $$
#variable_conflict use_column
declare
  _expired bigint[];
  _taken bigint[];
  _queues text[];
  _ended uuid[];
begin
  -- Materialized: the planner would try the advisory lock first, of every worker, and hold up the claims of those that
  -- are well.
  with gone as materialized (
    select w.id from pgqueue.workers as w
    where w.expires_at <= clock_timestamp()
    order by w.id
    for update skip locked
  )
  select array_agg(gone.id) into _expired from gone where pg_try_advisory_xact_lock(gone.id);
  if _expired is null then
    return;
  end if;

  with theirs as materialized (
    select job.id, job.worker,
           row_number() over (
             partition by job.worker order by job.started_at, job.priority desc, job.run_at, job.id) as place
    from pgqueue.jobs as job
    where job.worker = any (_expired)
  ), held as materialized (
    select job.*, suspect.crashes as crashes_now,
           case when suspect.crashes >= 3 then 'poison'
                when job.attempt >= coalesce(job.max_attempts, 26) then 'exhausted' end as reason,
           format('worker %s vanished: its lease expired while it had this job', job.worker) as error
    from theirs
    join pgqueue.jobs as job on job.id = theirs.id and job.worker = theirs.worker
    join pgqueue.workers as w on w.id = theirs.worker
    cross join lateral (select job.crashes + (theirs.place <= w.concurrency)::int as crashes) as suspect
    order by job.id
    for update of job skip locked
  ), again as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, crashes = held.crashes_now, run_at = clock_timestamp()
    from held
    where job.id = held.id and held.reason is null
  ), ended as (
    delete from pgqueue.jobs as job using held where job.id = held.id and held.reason is not null
  ), buried as (
    insert into pgqueue.dead_jobs (id, run_at, created_at, started_at, timeout, claim, priority, attempt, crashes,
                                   max_attempts, store_result, queue, target, args, unique_key, limit_key, labels,
                                   reason, error_type, error)
    select held.id, held.run_at, held.created_at, held.started_at, held.timeout, held.claim, held.priority,
           held.attempt, held.crashes_now, held.max_attempts, held.store_result, held.queue, held.target, held.args,
           held.unique_key, held.limit_key, held.labels, held.reason, 'pgqueue.WorkerLost', held.error
    from held
    where held.reason is not null
  ), recorded as (
    insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target, error_type,
                                  error, created_at, run_at, priority, max_attempts, args, labels)
    select held.id, held.started_at, held.worker, held.claim, held.attempt, 'lost', held.queue, held.target,
           'pgqueue.WorkerLost', held.error, held.created_at, held.run_at, held.priority, held.max_attempts,
           case when held.reason is not null then held.args end, held.labels
    from held
  ), emptied as (
    delete from pgqueue.workers as w
    where w.id = any (_expired)
      and (select count(*) from theirs where theirs.worker = w.id)
        = (select count(*) from held where held.worker = w.id)
  )
  select array_agg(held.worker), array_agg(distinct held.queue) filter (where held.reason is null),
         array_agg(held.id) filter (where held.reason is not null)
  into _taken, _queues, _ended
  from held;

  perform pgqueue.wake(freed.queue) from unnest(_queues) as freed (queue);
  if _ended is not null then
    perform pgqueue.wake_waiters(_ended);
  end if;
  return query
  select gone.id, (select count(*)::int from unnest(_taken) as taken (worker) where taken.worker = gone.id)
  from unnest(_expired) as gone (id);
end $$;
