-- Wrong ends: not what its task did, or not what its attempts allow.
select ended.job_id, format('%s is %s (%s)', asked.kind, ended.state, coalesce(ended.reason, 'no reason')) as detail
from verify.ended as ended
join verify.asked as asked on asked.job_id = ended.job_id and asked.created
left join pgqueue.dead_jobs as dead on dead.id = ended.job_id
where not case ended.state
  when 'succeeded' then asked.kind not in ('buries', 'cancels') and not exists (
    select from pgqueue.attempts as attempt
    where attempt.job_id = ended.job_id and attempt.outcome = 'succeeded' and attempt.attempt <= asked.fails)
  when 'cancelled' then asked.kind in ('cancels', 'followed') or exists (
    select from verify.hands as hand where hand.job_id = ended.job_id and hand.what = 'cancel')
  else case ended.reason
    when 'buried' then asked.kind in ('buries', 'followed')
    when 'expired' then asked.has_ttl
    when 'lost' then asked.kind = 'once'
    when 'not retried' then asked.kind = 'once'
    when 'poison' then dead.crashes >= 3
    when 'exhausted' then dead.attempt >= coalesce(dead.max_attempts, 26)
    else false end
  end
union all
select attempt.job_id, format('claim %s is the last one, and not that of the end', attempt.claim)
from pgqueue.attempts as attempt
join verify.ended as ended on ended.job_id = attempt.job_id
where attempt.claim > ended.claim
