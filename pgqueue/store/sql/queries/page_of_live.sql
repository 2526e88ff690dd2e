-- Jobs that have not ended, newest id first, of the states $1, queue $2 and target $3, with an id below $4: at most $6.
-- Looks at $5 jobs. Arguments and labels of more than $7 bytes are not read; $8 stands for them.
-- Walks jobs_pkey backwards.
\ir parts/live_row
from (
  select job.*,
         case when job.worker >= 0 then 'running'
              when job.worker = -1 then 'manual'
              when job.run_at <= statement_timestamp() then 'ready'
              when job.attempt > 0 then 'retrying'
              else 'scheduled' end as state
  from pgqueue.jobs_shown as job
  where $4::uuid is null or job.id < $4
  order by job.id desc
  limit $5::int) as looked
where looked.state = any ($1::text[])
  and ($2::text is null or looked.queue = $2)
  and ($3::text is null or looked.target = $3)
order by looked.id desc
limit $6::int
