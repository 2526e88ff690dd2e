-- Effects missing: succeeded, and what committed with the success is not there.
select ended.job_id, format('%s succeeded by claim %s without its effect', asked.kind, ended.claim) as detail
from verify.ended as ended
join verify.asked as asked on asked.job_id = ended.job_id and asked.created
where ended.state = 'succeeded' and asked.kind in ('effect', 'completes', 'fans_out', 'joins', 'brings_along')
  and not exists (select from verify.effects as effect where effect.job_id = ended.job_id)
union all
select ended.job_id, 'fanned out, and less than 2 children are there'
from verify.ended as ended
join verify.asked as asked on asked.job_id = ended.job_id and asked.created
where ended.state = 'succeeded' and asked.kind in ('fans_out', 'joins', 'brings', 'brings_along')
  and (select count(*) from verify.asked as child where child.parent = ended.job_id and child.created) < 2
union all
select ended.job_id, 'succeeded, and its result is not there'
from verify.ended as ended
join verify.asked as asked on asked.job_id = ended.job_id and asked.created
where ended.state = 'succeeded' and asked.kind = 'answers'
  and not exists (
    select from pgqueue.results as kept
    where kept.job_id = ended.job_id and kept.result ->> 'job' = ended.job_id::text)
