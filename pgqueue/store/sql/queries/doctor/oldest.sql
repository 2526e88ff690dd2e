-- The job that has been due for longest, of the first $1 queues, but for those that are paused. Walks jobs_claim and
-- jobs_lane, a probe for each priority; of lanes the first alone.
select due.id::text, served.queue, extract(epoch from clock_timestamp() - due.run_at)::float8
from pgqueue.first_queues($1::int) as served (queue)
cross join generate_series(0, 9) as slot (priority)
cross join lateral (
  (select j.id, j.run_at from pgqueue.jobs as j
   where j.worker is null and j.lane is null and j.queue = served.queue and j.priority = slot.priority and j.run_at <= now()
   order by j.run_at, j.id limit 1)
  union all
  (select j.id, j.run_at from pgqueue.jobs as j
   where j.worker is null and j.lined and j.queue = served.queue and j.priority = slot.priority
   order by j.lane, j.run_at, j.id limit 1)) as due
where not exists (
  select from pgqueue.queues as q where q.name = served.queue and pgqueue.is_paused(q.paused, q.paused_until))
order by due.run_at
limit 1
