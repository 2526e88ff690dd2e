-- The job that has been due for longest, if a claim could have had it for longer than $3: what an idle worker missed.
-- As the claim: not from paused queues, none of what has limits, no row that somebody has locked, no job that is to avoid the host $2 yet,
-- none whose target the worker $4 leaves to others, and none of $5.
-- $1 are the queues, null for all; of many, those whose heads are old (heads.sql). Walks jobs_claim once per slot
-- (queue, priority); locks the row it finds for a moment.
select overdue.id
from unnest(coalesce($1::text[], array(select pgqueue.queue_names()))) as served (queue)
cross join generate_series(0, 9) as slot (priority)
cross join lateral (
  select job.id, job.run_at from pgqueue.jobs as job
  where job.worker is null and job.lane is null and job.queue = served.queue and job.priority = slot.priority
    and job.run_at <= clock_timestamp() - $3::interval
    and (job.avoid_host is distinct from $2::text
         or job.run_at <= clock_timestamp() - $3::interval - interval '30 seconds')
    and job.target <> all (coalesce((select me.passed from pgqueue.workers as me where me.id = $4::bigint), '{}'))
    and not exists (select from pgqueue.limits as l where l.scope = 'task' and l.name = job.target)
    and job.id <> all ($5::uuid[])
  order by job.run_at, job.id
  limit 1
  for no key update skip locked) as overdue
where not exists (select from pgqueue.queues as q
                  where q.name = served.queue and (q.limited or pgqueue.is_paused(q.paused, q.paused_until)))
order by overdue.run_at
limit 1
