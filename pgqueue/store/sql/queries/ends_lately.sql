-- The attempts that ended last, at most $3, among the newest $2 by their jobs' ids: in the order in which they did. $1: labels
-- and arguments of at most so many bytes. Walks attempts_pkey backwards; O($2).
with looked as materialized (
  select * from pgqueue.attempts_shown as each order by each.job_id desc, each.claim desc limit $2::int
), ended as materialized (
  select * from looked order by looked.finished_at desc limit $3::int
)
\ir parts/ended_columns
order by one.finished_at, one.job_id, one.claim
