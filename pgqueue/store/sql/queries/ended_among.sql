-- Those of jobs $1 that nobody need wait for: they have ended, or there is none. Walks primary keys; O(jobs log n).
select asked.id
from unnest($1::uuid[]) as asked (id)
left join lateral (
  select true as waits
  from pgqueue.job as job
  where job.id = asked.id and job.state <> all (array['succeeded', 'dead', 'cancelled'])
  limit 1) as one on true
where one.waits is null
