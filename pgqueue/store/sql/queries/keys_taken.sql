-- How many of the dead jobs $1 stay dead whatever is done, because a live job has their unique key.
-- Walks dead_jobs_pkey and jobs_unique.
select count(*)
from pgqueue.dead_jobs as dead
cross join lateral (
  select from pgqueue.jobs as live where live.unique_key = dead.unique_key offset 0) as taken
where dead.id = any ($1::uuid[]) and dead.start_key is null
