-- Tasks of whose newest attempts, of $1 in all, at least a hundredth ended by their timeout; with the longest of these,
-- and the timeout that their queue gives now. What a queue has been given since that is longer is no trouble any more.
-- Walks attempts_pkey backwards; O($1).
select told.target, told.queue, told.timeouts, told.attempts, told.longest, q.timeout
from (
  select newest.target, min(newest.queue) as queue, count(*) filter (where newest.outcome = 'timeout') as timeouts,
         count(*) as attempts,
         max(extract(epoch from newest.finished_at - newest.started_at)) filter (where newest.outcome = 'timeout')::float8
           as longest
  from (
    select a.target, a.queue, a.outcome, a.started_at, a.finished_at from pgqueue.attempts as a
    order by a.job_id desc, a.claim desc
    limit $1::int) as newest
  group by newest.target) as told
left join pgqueue.queues as q on q.name = told.queue
where told.timeouts > 0 and told.timeouts * 100 >= told.attempts and coalesce(q.timeout, 0) <= told.longest * 1.2
order by told.timeouts desc
limit 20
