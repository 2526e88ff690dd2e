-- What ran at $1 and has ended since: at most $4 attempts, the longest first. Answers how many attempts were looked at, and the last
-- of their jobs: those with ids from $2 on, made before $1, the newest $3.
-- Walks attempts_pkey backwards; O($3).
with looked as materialized (
  select a.job_id, a.claim, a.attempt, a.started_at, a.finished_at, a.outcome, a.queue, a.target, a.worker
  from pgqueue.attempts as a
  where a.job_id >= $2::uuid and a.job_id < pgqueue.uuid7_floor($1::timestamptz + interval '1 second')
  order by a.job_id desc, a.claim desc
  limit $3::int
), ran as (
  select * from looked
  where looked.started_at <= $1 and looked.finished_at > $1
  order by looked.started_at, looked.job_id
  limit $4::int
)
select head.looked, head.last, (select count(*) from looked where looked.started_at <= $1 and looked.finished_at > $1) as ran,
       one.job_id, one.claim, one.attempt, one.queue, one.target, one.worker, one.started_at, one.finished_at, one.outcome
from (select count(*) as looked, (array_agg(looked.job_id order by looked.job_id))[1] as last from looked) as head
left join ran as one on true
order by one.started_at, one.job_id
