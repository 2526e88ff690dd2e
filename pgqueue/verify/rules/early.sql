-- Started early, by the database's clock: before run_at, before the delay was over, or before the retry was due.
select start.job_id, format('claim %s began at %s, due at %s', start.claim, start.at, due.at) as detail
from verify.starts as start
cross join lateral (
  select greatest(start.run_at, asked.not_before, raised.at) as at
  from verify.asked as asked
  left join lateral (
    -- An attempt that failed, and was written down as failed: the next is due after its wait.
    select before.at + make_interval(secs => before.wait) as at
    from verify.ends as before
    join pgqueue.attempts as attempt
      on attempt.job_id = before.job_id and attempt.claim = before.claim and attempt.outcome = 'failed'
    where before.job_id = start.job_id and before.claim < start.claim and before.what = 'raised'
    order by before.claim desc limit 1) as raised on true
  where asked.job_id = start.job_id and asked.created) as due
where start.at < due.at
  -- A human may make a job due at once.
  and (start.at < start.run_at
    or not exists (select from verify.hands as hand where hand.job_id = start.job_id and hand.what = 'retry'))
