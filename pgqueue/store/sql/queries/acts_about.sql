-- What was done by hand between $1 and $2, and which releases came, the oldest first: at most $4 of each, among the newest $3 acts.
-- Walks audit_pkey backwards; O($3).
with looked as materialized (
  select * from pgqueue.audit as act order by act.id desc limit $3::int
), placed as (
  select looked.*, row_number() over (partition by looked.action = 'release' order by looked.id) as place
  from looked
  where looked.at >= $1::timestamptz and looked.at < $2::timestamptz
)
select act.id, act.at, left(act.who, 500), left(act.via, 100), left(act.action, 200), left(act.filter, 5000), act.job_ids,
       act.n, left(act.reason, 5000),
       -- The schema of the last release has none.
       to_jsonb(act) ->> 'role'
from placed as act
where act.place <= $4::int
order by act.id
