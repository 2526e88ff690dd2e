-- What was done by hand, the newest first: at most $2 below number $1. Walks audit_pkey.
select act.id, act.at, left(act.who, 500), left(act.via, 100), left(act.action, 200), left(act.filter, 5000), act.job_ids,
       act.n, left(act.reason, 5000),
       -- The schema of the last release has none.
       to_jsonb(act) ->> 'role'
from pgqueue.audit as act
where $1::bigint is null or act.id < $1
order by act.id desc
limit $2::int
