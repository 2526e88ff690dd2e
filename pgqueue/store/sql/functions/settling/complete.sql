-- running -> succeeded, in the transaction of the task itself: its effects and its success commit together.
-- Fenced: false if the lease went to another attempt; then nothing was changed and the caller must roll back.
-- An attempt that is there under this claim, by hand or of an ended job with the same id, is kept; this one takes the
-- next free number. True again if this very token has succeeded before. Walks jobs_pkey; O(log n).
create or replace function pgqueue.complete(_worker bigint, _id uuid, _claim int, _result text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  with held as (
    delete from pgqueue.jobs as job
    where job.id = _id and job.claim = _claim and job.worker = _worker
    returning job.*
  ), freed as (
    delete from pgqueue.holds as h
    where h.ctid = any (array(
      select own.ctid from held cross join lateral (
        select taken.ctid from pgqueue.holds as taken
        where taken.name = any (array['k:' || held.limit_key, 't:' || held.target, 'q:' || held.queue])
          and taken.seq = held.hold
        offset 0) as own
      where held.hold is not null))
    returning h.seq
  ), woken as (
    -- An idle worker may take the share, once this transaction has committed.
    select pgqueue.wake(held.queue) from held where held.hold is not null
  ), stored as (
    insert into pgqueue.results (job_id, expires_at, result)
    select held.id, now() + interval '1 day', _result::json from held where _result is not null
    on conflict (job_id) do update set expires_at = excluded.expires_at, result = excluded.result
    where results.expires_at <= now()
  )
  insert into pgqueue.attempts (job_id, started_at, finished_at, worker, claim, attempt, outcome, queue, target,
                                created_at, run_at, priority, max_attempts, args, labels, unique_key, limit_key,
                                headers)
  select held.id, held.started_at, clock_timestamp(), _worker,
         coalesce((
           select pgqueue.free_claim(same.job_id)
           from pgqueue.attempts as same where same.job_id = held.id and same.claim = held.claim), held.claim),
         held.attempt, 'succeeded', held.queue, held.target, held.created_at, held.run_at, held.priority,
         held.max_attempts, held.args, held.labels,
         coalesce(held.start_key, held.unique_key), held.limit_key, held.headers
  from held
  left join (select count(*) from woken) as told on true;
  if found then
    perform pgqueue.forget_cancellations(array[_id]);
    perform pgqueue.wake_waiters(array[_id]);
    return true;
  end if;
  return exists (
    select from pgqueue.attempts as attempt
    where attempt.job_id = _id and attempt.claim = _claim and attempt.worker = _worker
      and attempt.outcome = 'succeeded');
end $$;
