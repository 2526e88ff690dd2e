-- Effects without a success: the transaction that wrote them did not end the job.
select effect.job_id, format('of claim %s; the job: %s by claim %s', effect.claim, ended.state, ended.claim) as detail
from verify.effects as effect
left join verify.ended as ended on ended.job_id = effect.job_id
where ended.job_id is null or ended.state <> 'succeeded' or ended.claim <> effect.claim
union all
select child.job_id, format('child of %s, which %s', child.parent, coalesce(ended.state, 'has no end'))
from verify.asked as child
left join verify.ended as ended on ended.job_id = child.parent
where child.parent is not null and ended.state is distinct from 'succeeded'
