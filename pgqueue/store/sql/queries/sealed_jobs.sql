-- What a worker must know of jobs $1 beside their claims to say whether they are what was signed: their headers, whose they are, what
-- they said of their attempts before they fell back, the targets that they fell back from, and whether a job of that id has
-- ended before, so that this one is a copy. A dead job that was revived has a higher claim number than when it died.
-- Walks jobs_pkey, attempts_pkey, dead_jobs_pkey, waiting_pkey; O(jobs log n).
select job.id, left(job.headers::text, 8193), job.max_attempts, left(job.own_terms::text, 1000), job.fallen_from,
       job.tenant,
       exists (
         select from pgqueue.attempts as ended
         where ended.job_id = job.id and ended.args is not null
           and (ended.outcome in ('succeeded', 'cancelled') or ended.claim >= job.claim)
         offset 0)
       or exists (select from pgqueue.dead_jobs as dead where dead.id = job.id offset 0)
       or exists (select from pgqueue.waiting as waiting where waiting.id = job.id offset 0)
from pgqueue.jobs as job
where job.id = any ($1::uuid[])
