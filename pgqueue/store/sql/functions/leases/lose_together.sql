-- running -> retrying | dead | cancelled, for jobs whose workers have vanished; their attempts are counted as lost.
-- Each only while that worker still has it; a job whose settlement is under way elsewhere is passed by. Dead when it
-- may run at most once (_once), when its attempts are used up, or, if it is suspected (_suspects), after three crashes
-- in a row; but what its worker's code lets fall back where it would be lost goes on under other code, or waits for a
-- human. Answers the ids that were taken back. Walks jobs_pkey in id order; O(batch log n).
create or replace function pgqueue.lose_together(_ids uuid[], _workers bigint[], _suspects boolean[], _once boolean[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _freed uuid[];
  _ended uuid[];
  _queues text[];
  _ordered constant uuid[] := pgqueue.ordered_among(_ids, false);
  _stopped constant uuid[] := case when _ordered <> '{}' then pgqueue.ordered_among(_ids, true) else '{}' end;
  _free_queues text[];
  _free_targets text[];
  _free_keys text[];
  _free_holds bigint[];
  _lost_queues text[];
  _lost_targets text[];
  _lost_ends boolean[];
  _followed json;
  _workflows uuid[];
  _links text[];
  _falling uuid[];
  _fallbacks text[];
begin
  select falling.ids, falling.fallbacks into _falling, _fallbacks
  from pgqueue.falling_back(_ids, _workers, _suspects, _once) as falling;
  with held as materialized (
    select job.*, suspect.crashes as crashes_now,
           -- What is no longer wanted is called off below.
           case when exists (select from pgqueue.cancellations as c where c.job_id = job.id offset 0) then null
                when job.id = any (_falling) then null
                when told.once then 'lost'
                when suspect.crashes >= 3 then 'poison'
                when job.attempt >= coalesce(job.max_attempts, 26) then 'exhausted' end as reason,
           format('worker %s vanished: its lease expired while it had this job', job.worker) as error
    from (
      select *
      from unnest(_ids, _workers, _suspects, _once) as batch (id, worker, suspect, once)
      order by batch.id) as told
    cross join lateral (
      select * from pgqueue.jobs as held
      where held.id = told.id and held.worker = told.worker
      for update skip locked) as job
    cross join lateral (select least(greatest(job.crashes, 0), 32766) + told.suspect::int as crashes) as suspect
  ), waiting as materialized (
    -- In order of id, so that width_bucket() finds the place of each.
    select array_agg(held.id order by held.id) as ids, array_agg(held.crashes_now order by held.id) as crashes
    from held
    where held.reason is null
  ), again as (
    update pgqueue.jobs as job
    set worker = null, started_at = null, run_at = clock_timestamp(), lined = null,
        hold = case when job.id = any (_ordered) then job.hold end,
        crashes = (select w.crashes from waiting as w)[width_bucket(job.id, (select w.ids from waiting as w))]
    where job.id = any ((select w.ids from waiting as w)::uuid[])
  ), ended as (
    delete from pgqueue.jobs as job where job.id = any (array(select held.id from held where held.reason is not null))
  ), buried as (
    insert into pgqueue.dead_jobs (id, run_at, created_at, started_at, timeout, claim, priority, attempt, crashes,
                                   max_attempts, store_result, queue, target, args, unique_key, start_key, limit_key,
                                   cost, hold, labels, headers, follow_ups, reason, error_type, error,
                                   fallen_from, own_terms, workflow_id, node, success_links, tenant)
    select held.id, held.run_at, held.created_at, held.started_at, held.timeout, held.claim, held.priority,
           held.attempt, held.crashes_now, held.max_attempts, held.store_result, held.queue, held.target, held.args,
           coalesce(held.start_key, held.unique_key), held.start_key, held.limit_key, held.cost,
           case when held.id = any (_stopped) then held.hold end, held.labels, held.headers, held.follow_ups,
           held.reason, 'pgqueue.WorkerLost', held.error, held.fallen_from, held.own_terms,
           held.workflow_id, held.node, pgqueue.links_left(held.success_links, held.failure_links), held.tenant
    from held
    where held.reason is not null
    on conflict (id) do nothing
  ), recorded as (
    insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target, error_type,
                                  error, created_at, run_at, priority, max_attempts, args, labels, headers,
                                  workflow_id, node, tenant)
    select held.id, held.started_at, held.worker,
           coalesce((
             select pgqueue.free_claim(same.job_id)
             from pgqueue.attempts as same where same.job_id = held.id and same.claim = held.claim), held.claim),
           held.attempt, 'lost', held.queue, held.target,
           'pgqueue.WorkerLost', held.error, held.created_at, held.run_at, held.priority, held.max_attempts,
           case when held.reason is not null then held.args end, held.labels,
           case when held.reason is not null then held.headers end, held.workflow_id, held.node, held.tenant
    from held
  )
  select array_agg(held.id) filter (where held.reason is null),
         array_agg(held.id) filter (where held.reason is not null),
         array_agg(distinct held.queue) filter (where held.reason is null),
         array_agg(held.queue) filter (where held.hold is not null),
         array_agg(held.target) filter (where held.hold is not null),
         array_agg(case when held.id <> all (case when held.reason is null then _ordered else _stopped end)
                        then held.limit_key end) filter (where held.hold is not null),
         array_agg(held.hold) filter (where held.hold is not null),
         array_agg(held.queue), array_agg(held.target), array_agg(held.reason is not null),
         json_agg(json_build_object(
           'id', held.id, 'target', coalesce(held.fallen_from[1], held.target),
           'follow_ups', held.follow_ups, 'state', 'dead',
           'reason', held.reason, 'error_type', 'pgqueue.WorkerLost', 'error', held.error, 'headers', held.headers))
           filter (where held.reason is not null and (
                     held.follow_ups is not null
                     or coalesce(held.fallen_from[1], held.target) in (
                       select f.target from pgqueue.follow_ups as f))),
         array_agg(held.workflow_id) filter (where held.reason is not null and held.failure_links is not null),
         array_agg(held.failure_links::text) filter (where held.reason is not null and held.failure_links is not null)
  into _freed, _ended, _queues, _free_queues, _free_targets, _free_keys, _free_holds,
       _lost_queues, _lost_targets, _lost_ends, _followed, _workflows, _links
  from held;
  if _lost_queues is not null then
    perform pgqueue.tally_lost(
      _lost_queues, _lost_targets, _lost_ends, 'worker # vanished: its lease expired while it had this job');
  end if;
  if _free_holds is not null then
    perform pgqueue.let_go(_free_queues, _free_targets, _free_keys, _free_holds);
  end if;

  if _freed is not null then
    perform pgqueue.turn(array_agg(told.id), array_agg(told.fallback), array_agg('lost'::text))
    from unnest(_falling, _fallbacks) as told (id, fallback)
    where told.id = any (_freed);
    perform pgqueue.call_off(_freed);
    perform pgqueue.wake(freed.queue) from unnest(_queues) as freed (queue);
  end if;
  if _followed is not null then
    perform pgqueue.follow_up(_followed);
  end if;
  if _workflows is not null then
    perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
  end if;
  if _ended is not null then
    perform pgqueue.forget_cancellations(_ended);
  end if;
  perform pgqueue.wake_waiters(coalesce(_freed, '{}') || coalesce(_ended, '{}'));
  return coalesce(_freed, '{}') || coalesce(_ended, '{}');
end $$;
