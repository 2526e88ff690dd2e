-- dead -> ready with fresh attempts for the members of a workflow that were dead when it was asked, under their first
-- targets: the workflow goes on there, and what has succeeded does not run again. At most _most by this call; upkeep goes
-- on by itself, as does who calls again: answers how many were revived, 0 when there are no more; null if there is no such
-- workflow. Raises if it was cancelled. As retry() does it, many at once. Walks dead_jobs_workflow; O(dead log n).
create or replace function pgqueue.retry_workflow(_id uuid, _most int default 250) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _asked text;
  _since timestamptz;
  _ids uuid[];
  _claims int[];
  _queues text[];
begin
  perform pgqueue.note_act('workflows retry', _id::text);
  select w.asked, w.asked_at into _asked, _since from pgqueue.workflows as w where w.id = _id for no key update;
  if not found then
    return null;
  elsif _asked = 'cancel' then
    raise exception 'workflow % was cancelled', _id
      using errcode = 'object_not_in_prerequisite_state', schema = 'pgqueue', table = 'workflows',
            hint = 'what waited for its dead jobs is gone: enqueue it anew';
  elsif _asked is null then
    _since := clock_timestamp();
    update pgqueue.workflows as w set asked = 'retry', asked_at = _since where w.id = _id;
  end if;
  with dead as materialized (
    select d.* from pgqueue.dead_jobs as d
    where d.workflow_id = _id and d.died_at <= _since
    order by d.node, d.id
    limit _most
    for update skip locked
  ), revived as (
    insert into pgqueue.jobs (id, created_at, timeout, priority, max_attempts, store_result, queue, target, args,
                              unique_key, start_key, limit_key, cost, hold, lane, lined, labels, headers,
                              follow_ups, workflow_id, node, success_links, tenant)
    select d.id, d.created_at, coalesce((d.own_terms ->> 'timeout')::float8, d.timeout), d.priority,
           coalesce((d.own_terms ->> 'max_attempts')::smallint, d.max_attempts), d.store_result, d.queue,
           coalesce(d.fallen_from[1], d.target), d.args, case when d.start_key is null then d.unique_key end,
           d.start_key, d.limit_key, d.cost, d.hold,
           pgqueue.lane_of(d.limit_key, coalesce(d.fallen_from[1], d.target)),
           case when pgqueue.lane_of(d.limit_key, coalesce(d.fallen_from[1], d.target)) is not null then true end,
           d.labels, d.headers, d.follow_ups, d.workflow_id, d.node, d.success_links, d.tenant
    from dead as d
    on conflict do nothing
    returning jobs.id, jobs.queue
  )
  select array_agg(d.id order by d.id), array_agg(d.claim order by d.id),
         (select array_agg(distinct revived.queue) from revived)
  into _ids, _claims, _queues
  from dead as d
  where (d.id in (select revived.id from revived)) is true;
  if _ids is null then
    update pgqueue.workflows as w set asked = null, asked_at = null where w.id = _id;
    return 0;
  end if;
  -- A new row has no claim (trigger jobs_new); these go on where they were.
  update pgqueue.jobs as job set claim = _claims[width_bucket(job.id, _ids)] where job.id = any (_ids);
  delete from pgqueue.dead_jobs as d where d.id = any (_ids);
  perform pgqueue.forget_cancellations(_ids);
  perform pgqueue.wake(told.queue) from unnest(_queues) as told (queue);
  return cardinality(_ids);
end $$;
