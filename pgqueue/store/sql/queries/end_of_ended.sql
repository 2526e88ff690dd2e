-- How far a page looked: the job of the $2-th attempt below $1; no row if there are fewer. Walks attempts_pkey.
select ended.job_id
from pgqueue.attempts as ended
where $1::uuid is null or ended.job_id < $1
order by ended.job_id desc, ended.claim desc
offset $2::int - 1
limit 1
