-- Lost: its enqueue committed, and it is nowhere.
select asked.job_id, format('%s, asked for at %s', asked.kind, asked.at) as detail
from verify.asked as asked
where asked.created and not exists (select from pgqueue.job as job where job.id = asked.job_id)
union all
select told.job_id, 'its COMMIT was acknowledged, and the ledger has no row of it'
from verify.told as told
where told.committed and not exists (select from verify.asked as asked where asked.job_id = told.job_id)
