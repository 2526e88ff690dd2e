-- Settled by somebody else: an attempt that another worker ran, or a success that nobody ran to its end.
select attempt.job_id,
       format('claim %s is %s by worker %s, but worker %s ran it', attempt.claim, attempt.outcome, attempt.worker,
              start.worker) as detail
from pgqueue.attempts as attempt
join verify.starts as start on start.job_id = attempt.job_id and start.claim = attempt.claim
where attempt.worker is distinct from start.worker
union all
select attempt.job_id, format('claim %s succeeded, but its task never returned', attempt.claim)
from pgqueue.attempts as attempt
where attempt.outcome = 'succeeded' and not exists (
  select from verify.ends as sign
  where sign.job_id = attempt.job_id and sign.claim = attempt.claim and sign.what = 'returned')
