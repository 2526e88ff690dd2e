-- The first and the last job whose id lies between $1 and $2, whatever its state; nulls if there is none.
-- Two probes of the primary key of each table that can hold it; O(log n).
select pg_catalog.min(found.id::text)::uuid, pg_catalog.max(found.id::text)::uuid
from (
  (select job.id from pgqueue.jobs as job
   where job.id operator(pg_catalog.>=) $1::uuid and job.id operator(pg_catalog.<=) $2::uuid order by job.id limit 1)
  union all
  (select job.id from pgqueue.jobs as job
   where job.id operator(pg_catalog.>=) $1::uuid and job.id operator(pg_catalog.<=) $2::uuid
   order by job.id desc limit 1)
  union all
  (select ended.job_id from pgqueue.attempts as ended
   where ended.job_id operator(pg_catalog.>=) $1::uuid and ended.job_id operator(pg_catalog.<=) $2::uuid
   order by ended.job_id limit 1)
  union all
  (select ended.job_id from pgqueue.attempts as ended
   where ended.job_id operator(pg_catalog.>=) $1::uuid and ended.job_id operator(pg_catalog.<=) $2::uuid
   order by ended.job_id desc limit 1)
  union all
  (select dead.id from pgqueue.dead_jobs as dead
   where dead.id operator(pg_catalog.>=) $1::uuid and dead.id operator(pg_catalog.<=) $2::uuid order by dead.id limit 1)
  union all
  (select dead.id from pgqueue.dead_jobs as dead
   where dead.id operator(pg_catalog.>=) $1::uuid and dead.id operator(pg_catalog.<=) $2::uuid
   order by dead.id desc limit 1)
  union all
  (select w.id from pgqueue.waiting as w
   where w.id operator(pg_catalog.>=) $1::uuid and w.id operator(pg_catalog.<=) $2::uuid order by w.id limit 1)
  union all
  (select w.id from pgqueue.waiting as w
   where w.id operator(pg_catalog.>=) $1::uuid and w.id operator(pg_catalog.<=) $2::uuid order by w.id desc limit 1)
) as found
