-- How far a page looked: the id of the $2-th dead job below $1; no row if there are fewer. Walks dead_jobs_pkey.
select dead.id
from pgqueue.dead_jobs as dead
where $1::uuid is null or dead.id < $1
order by dead.id desc
offset $2::int - 1
limit 1
