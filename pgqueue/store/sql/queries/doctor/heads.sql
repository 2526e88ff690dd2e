-- The first waiting job of each slot (queue, priority) of these queues ($1): what a claim without a lower bound looks for.
-- Walks jobs_claim, and with it the rows of ended jobs that lie before.
select count(head.id)
from unnest($1::text[]) as served (queue)
cross join generate_series(0, 9) as slot (priority)
cross join lateral (
  select j.id from pgqueue.jobs as j
  where j.worker is null and j.lane is null and j.queue = served.queue and j.priority = slot.priority and j.run_at <= now()
  order by j.run_at, j.id
  limit 1) as head
