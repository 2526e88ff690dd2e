-- How far a page looked: the id of the $2-th job below $1; no row if there are fewer. Walks jobs_pkey.
select job.id
from pgqueue.jobs as job
where $1::uuid is null or job.id < $1
order by job.id desc
offset $2::int - 1
limit 1
