-- Targets of waiting jobs that no live worker knows which serves their queue, with how many of them were seen, and the
-- nearest task: of those that were parked, 100 targets and 100 jobs each; and at the heads of 100 queues, where they can
-- be walked. And how many workers live. Walks parked_target, jobs_pkey, jobs_claim.
with recursive names (target) as (
  (select p.target from pgqueue.parked as p order by p.target limit 1)
  union all
  select (select p.target from pgqueue.parked as p where p.target > names.target order by p.target limit 1)
  from names where names.target is not null
), waiting as (
  select job.queue, job.target
  from (select names.target from names where names.target is not null limit 100) as named
  cross join lateral (
    select p.job_id, p.claim from pgqueue.parked as p where p.target = named.target order by p.run_at limit 100) as p
  cross join lateral (
    select j.queue, j.target from pgqueue.jobs as j where j.id = p.job_id and j.claim = p.claim and j.worker is null
    offset 0) as job
  union all
  select head.queue, head.target from pgqueue.peek(
    case when pgqueue.is_walkable() then array(select pgqueue.first_queues(100)) else '{}' end, $1::int) as head
  where head.worker is null and head.due
), live as materialized (
  select w.queues, w.unknown, known.names, known.hash
  from pgqueue.workers as w left join pgqueue.targets as known on known.hash = w.targets
  where w.expires_at > clock_timestamp()
)
select lost.target, lost.queue, lost.jobs, pgqueue.nearest_target(lost.target)
from (
  select waiting.target, min(waiting.queue) as queue, count(*) as jobs, pgqueue.covering_names(waiting.target) as covering
  from waiting
  group by waiting.target
  order by count(*) desc
  limit 200) as lost
where exists (select from live)
  and not exists (
    select from live
    where pgqueue.serves(live.queues, lost.queue) and lost.target <> all (coalesce(live.unknown, '{}'))
      and (live.hash is null or live.names && lost.covering))
order by lost.jobs desc, lost.target
limit 20
