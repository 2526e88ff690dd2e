-- What became of the jobs $1 that an operation tried first: how many failed again, and of how many it is not known yet.
-- Walks primary keys.
select count(*) filter (where job.state in ('dead', 'retrying')), count(*) filter (where job.state in ('ready', 'running'))
from pgqueue.job as job
where job.id = any ($1::uuid[])
