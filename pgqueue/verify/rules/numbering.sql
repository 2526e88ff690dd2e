-- Attempts miscounted: one claim begun twice, one number given twice, or a start that left no attempt.
select start.job_id, format('claim %s began %s times', start.claim, count(*)) as detail
from verify.starts as start
group by start.job_id, start.claim
having count(*) > 1
union all
select attempt.job_id, format('attempt %s is counted %s times', attempt.attempt, count(*))
from pgqueue.attempts as attempt
-- A human's retry of a dead job gives it a new life, in which attempts are counted anew.
cross join lateral (
  select count(*) as number from verify.hands as hand
  where hand.job_id = attempt.job_id and hand.died_at is not null and hand.answer <> 'dead'
    and hand.claim < attempt.claim) as life
where attempt.outcome not in ('released', 'expired', 'cancelled')
group by attempt.job_id, life.number, attempt.attempt
having count(*) > 1
union all
select start.job_id, format('claim %s began at %s and left no attempt', start.claim, start.at)
from verify.starts as start
join verify.ended as ended on ended.job_id = start.job_id and start.claim < ended.claim
where not exists (
  select from pgqueue.attempts as attempt where attempt.job_id = start.job_id and attempt.claim = start.claim)
