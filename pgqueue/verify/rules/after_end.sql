-- Went on after its end: an attempt that began later, and was not one whose lease had expired before.
select start.job_id, format('claim %s (%s) began at %s; the job: %s by claim %s at %s', start.claim,
                            coalesce(attempt.outcome, 'no attempt'), start.at, ended.state, ended.claim, ended.at) as detail
from verify.starts as start
join verify.ended as ended on ended.job_id = start.job_id
left join pgqueue.attempts as attempt on attempt.job_id = start.job_id and attempt.claim = start.claim
where start.claim > ended.claim
   -- What a process said on a silent link may arrive when it has long been killed for its timeout.
   or (start.claim < ended.claim and start.at > ended.at
       and coalesce(attempt.outcome not in ('lost', 'late')
                    and not (attempt.outcome in ('timeout', 'crashed') and start.at > attempt.finished_at), true))
