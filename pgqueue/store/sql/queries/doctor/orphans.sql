-- What belongs to nothing any more: shares whose job does not run under them, of $1 looked at; jobs with workers that
-- have no row, of about $1 at the heads of 100 queues, where these can be walked; cancellations of jobs that have ended.
-- Walks holds_pkey, jobs_pkey, jobs_claim, cancellations_pkey.
select
  (select count(*)
   from (select h.job_id, h.seq from pgqueue.holds as h where h.job_id is not null order by h.name, h.seq limit $1::int) as h
   where not exists (select from pgqueue.jobs as job where job.id = h.job_id and job.hold = h.seq offset 0)
     and not exists (select from pgqueue.dead_jobs as dead where dead.id = h.job_id and dead.hold = h.seq offset 0)),
  (select count(*)
   from pgqueue.peek(
    case when pgqueue.is_walkable() then array(select pgqueue.first_queues(100)) else '{}' end, $1::int) as head
   where head.worker >= 0 and not exists (select from pgqueue.workers as w where w.id = head.worker)),
  (select count(*)
   from (select c.job_id from pgqueue.cancellations as c order by c.job_id limit $1::int) as c
   where (select job.worker from pgqueue.jobs as job where job.id = c.job_id) is null)
