-- Leases broken: extended after they had expired, or a job taken from one that had not.
select null::uuid as job_id,
       format('worker %s: expired at %s, extended at %s', lease.worker, lease.before, lease.expires_at - run.lease)
         as detail
from verify.leases as lease
cross join verify.run as run
-- Into the future: a worker that leaves with jobs in its hands lets its lease end now, even if it had ended before.
where lease.change = 'UPDATE' and lease.expires_at > lease.before and lease.expires_at > lease.at
  -- The trigger looks a moment after the function judged.
  and lease.expires_at - run.lease > lease.before + interval '50 ms'
union all
select lost.job_id, format('claim %s began at %s, the lease of claim %s ended at %s', next.claim, next.at, lost.claim,
                           lease.expires_at)
from pgqueue.attempts as lost
cross join lateral (
  select start.claim, start.at from verify.starts as start
  where start.job_id = lost.job_id and start.claim > lost.claim
  order by start.claim limit 1) as next
cross join lateral (
  select lease.expires_at from verify.leases as lease
  where lease.worker = lost.worker and lease.change <> 'DELETE' and lease.at <= next.at
  order by lease.at desc limit 1) as lease
where lost.outcome in ('lost', 'late') and next.at < lease.expires_at
