-- running -> succeeded, in the transaction of the task itself: its effects and its success commit together.
-- Fenced: false if the lease went to another attempt; then nothing was changed and the caller must roll back.
-- An attempt that is there under this claim, by hand or of an ended job with the same id, is kept; this one takes the
-- next free number. True again if this very token has succeeded before. Walks jobs_pkey; O(log n).
create or replace function pgqueue.complete(_worker bigint, _id uuid, _claim int, _result text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _ended record;
begin
  with held as (
    delete from pgqueue.jobs as job
    where job.id = _id and job.claim = _claim and job.worker = _worker
    returning job.*
  ), stored as (
    insert into pgqueue.results (job_id, expires_at, result, workflow_id, node)
    select held.id, case when held.workflow_id is null then now() + interval '1 day' else 'infinity' end, _result::json,
           held.workflow_id, held.node
    from held where _result is not null
    on conflict (job_id) do update set expires_at = excluded.expires_at, result = excluded.result
    where results.expires_at <= now()
  ), recorded as (
    insert into pgqueue.attempts (job_id, started_at, finished_at, worker, claim, attempt, outcome, queue, target,
                                  created_at, run_at, priority, max_attempts, args, labels, unique_key, limit_key,
                                  headers, fallen_from, workflow_id, node, tenant)
    select held.id, held.started_at, clock_timestamp(), _worker,
           coalesce((
             select pgqueue.free_claim(same.job_id)
             from pgqueue.attempts as same where same.job_id = held.id and same.claim = held.claim), held.claim),
           held.attempt, 'succeeded', held.queue, held.target, held.created_at, held.run_at, held.priority,
           held.max_attempts, held.args, held.labels,
           coalesce(held.start_key, held.unique_key), held.limit_key, held.headers,
           held.fallen_from, held.workflow_id, held.node, held.tenant
    from held
  )
  select held.queue, held.target, held.limit_key, held.hold, held.workflow_id, held.success_links,
         case when held.follow_ups is not null
                or coalesce(held.fallen_from[1], held.target) in (select f.target from pgqueue.follow_ups as f)
              then json_build_array(json_build_object(
                'id', held.id, 'target', coalesce(held.fallen_from[1], held.target),
                'follow_ups', held.follow_ups, 'state', 'succeeded',
                'headers', held.headers)) end as followed
  into _ended from held;
  if found then
    if _ended.hold is not null then
      -- A statement of its own sees a share that the job got while this one waited for its row (adopt_limits.sql).
      perform pgqueue.let_go(array[_ended.queue], array[_ended.target], array[_ended.limit_key], array[_ended.hold]);
    end if;
    if _ended.followed is not null then
      perform pgqueue.follow_up(_ended.followed);
    end if;
    if _ended.success_links is not null then
      perform pgqueue.count_ends(
        array[_ended.workflow_id], array[_ended.success_links::text], false, clock_timestamp());
    end if;
    perform pgqueue.forget_cancellations(array[_id]);
    perform pgqueue.wake_waiters(array[_id]);
    return true;
  end if;
  return exists (
    select from pgqueue.attempts as attempt
    where attempt.job_id = _id and attempt.claim = _claim and attempt.worker = _worker
      and attempt.outcome = 'succeeded');
end $$;
