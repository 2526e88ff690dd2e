-- Effects more than once: what was done twice, and what somebody was told is done and is not.
select (array_agg(sent.job_id))[1] as job_id, format('%s: done %s times', sent.key, count(*)) as detail
from verify.sent as sent
group by sent.key
having count(*) > 1
union all
select told.job_id, format('%s: told that it is done, and it is not', told.key)
from verify.told_of as told
where told.was = 'done' and not exists (select from verify.sent as sent where sent.key = told.key)
