-- Queues, of the first $1, that have due jobs, are not paused, and that no live worker serves which takes any; with the
-- target of a job there. Walks jobs_claim and jobs_lane, a probe for each priority; reads `workers`.
select named.queue, due.target, (select count(*) from pgqueue.workers as w where w.expires_at > clock_timestamp())
from pgqueue.first_queues($1::int) as named (queue)
cross join lateral (
  select head.target
  from generate_series(9, 0, -1) as slot (priority)
  cross join lateral (
    (select j.target from pgqueue.jobs as j
     where j.worker is null and j.lane is null and j.queue = named.queue and j.priority = slot.priority and j.run_at <= now()
     order by j.run_at, j.id limit 1)
    union all
    (select j.target from pgqueue.jobs as j
     where j.worker is null and j.lined and j.queue = named.queue and j.priority = slot.priority
     order by j.lane, j.run_at, j.id limit 1)) as head
  limit 1) as due
where not exists (
    select from pgqueue.workers as w
    where w.expires_at > clock_timestamp() and w.asked is null and pgqueue.serves(w.queues, named.queue))
  and not exists (
    select from pgqueue.queues as q where q.name = named.queue and pgqueue.is_paused(q.paused, q.paused_until))
order by named.queue
limit 50
