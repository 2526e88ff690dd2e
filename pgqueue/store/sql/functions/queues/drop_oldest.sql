-- waiting -> cancelled, for those jobs of a full queue that have been due longest; answers how many. One that somebody has
-- in hand is left, and no other dropped in its place: who drops at the same time has counted it, too.
-- Walks jobs_claim at each priority, jobs_coming, and all of jobs_lane in this queue: in no order by time.
-- O(most log n + jobs in line).
create or replace function pgqueue.drop_oldest(_queue text, _most int, _max_size int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _oldest uuid[];
  _dropped uuid[];
  _targets text[];
  _keys text[];
  _seqs bigint[];
  _followed json;
  _workflows uuid[];
  _links text[];
begin
  select array_agg(found.id) into _oldest
  from (
    select head.id
    from (
      (select plain.id, plain.run_at
       from generate_series(0, 9) as slot (priority)
       cross join lateral (
         select job.id, job.run_at from pgqueue.jobs as job
         where job.queue = _queue and job.priority = slot.priority and job.lane is null and job.worker is null
         order by job.run_at, job.id
         limit _most) as plain)
      union all
      (select job.id, job.run_at from pgqueue.jobs as job
       where job.queue = _queue and job.lined and job.worker is null)
      union all
      (select job.id, job.run_at from pgqueue.jobs as job
       where job.queue = _queue and job.lane is not null and job.lined is null and job.worker is null
       order by job.run_at, job.id
       limit _most)) as head
    order by head.run_at, head.id
    limit _most) as found;
  with dropped as (
    delete from pgqueue.jobs as job
    where job.id = any (array(
      select waiting.id from pgqueue.jobs as waiting
      where waiting.id = any (_oldest) and waiting.worker is null
      order by waiting.id
      for update skip locked))
    returning job.*
  ), recorded as (
    insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, error_type, error, created_at, run_at,
                                  priority, max_attempts, args, labels, unique_key, limit_key, workflow_id, node,
                                  tenant)
    select job.id,
           case when exists (select from pgqueue.attempts as same
                             where same.job_id = job.id and same.claim = least(job.claim, 2147483646) + 1)
                then pgqueue.free_claim(job.id) else least(job.claim, 2147483646) + 1 end,
           job.attempt, 'cancelled', job.queue, job.target, 'QueueFull',
           format('dropped: it had waited longest when the queue held more than %s jobs', _max_size),
           job.created_at, job.run_at, job.priority, job.max_attempts, job.args, job.labels,
           coalesce(job.start_key, job.unique_key), job.limit_key, job.workflow_id, job.node, job.tenant
    from dropped as job
  ), unparked as (
    delete from pgqueue.parked as parked where parked.job_id = any (array(select job.id from dropped as job))
  )
  select array_agg(job.id), json_agg(json_build_object(
           'id', job.id, 'target', coalesce(job.fallen_from[1], job.target), 'follow_ups', job.follow_ups,
           'state', 'cancelled',
           'reason', 'dropped: the queue was full', 'headers', job.headers))
           filter (where job.follow_ups is not null
                     or coalesce(job.fallen_from[1], job.target) in (select f.target from pgqueue.follow_ups as f)),
         array_agg(job.target) filter (where job.hold is not null),
         array_agg(job.limit_key) filter (where job.hold is not null),
         array_agg(job.hold) filter (where job.hold is not null),
         array_agg(job.workflow_id) filter (where job.workflow_id is not null),
         array_agg(pgqueue.links_called_off(job.success_links, job.failure_links)::text)
           filter (where job.workflow_id is not null)
  into _dropped, _followed, _targets, _keys, _seqs, _workflows, _links
  from dropped as job;
  -- Of ordered keys: a job that waits for its retry holds its share.
  if _seqs is not null then
    perform pgqueue.let_go(array_fill(_queue, array[cardinality(_seqs)]), _targets, _keys, _seqs);
  end if;
  if _followed is not null then
    perform pgqueue.follow_up(_followed);
  end if;
  if _workflows is not null then
    perform pgqueue.count_ends(_workflows, _links, true, clock_timestamp());
  end if;
  perform pgqueue.forget_cancellations(_dropped);
  perform pgqueue.wake_waiters(_dropped);
  return coalesce(cardinality(_dropped), 0);
end $$;
