-- Overlapping: an attempt began while an earlier one ran whose lease had not expired.
select second.job_id,
       format('claim %s began at %s, claim %s ran until %s and is %s', second.claim, second.at, first.claim, over.at,
              coalesce(attempt.outcome, 'not recorded')) as detail
from verify.starts as second
join verify.starts as first on first.job_id = second.job_id and first.claim < second.claim
cross join lateral (
  select max(sign.at) as at from verify.ends as sign
  where sign.job_id = first.job_id and sign.claim = first.claim) as over
left join pgqueue.attempts as attempt on attempt.job_id = first.job_id and attempt.claim = first.claim
where over.at > second.at and coalesce(attempt.outcome not in ('lost', 'late'), true)
