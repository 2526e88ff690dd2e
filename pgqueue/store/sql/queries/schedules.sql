-- The schedules behind $1 in order of name, at most $2. Walks schedules_pkey.
select s.name, s.cron, s.every, s.timezone, s.jitter, s.catch_up, s.cap::int, s.grace, s.overlap, s.target,
       s.args::pg_catalog.text,
       s.queue, s.labels::pg_catalog.text, s.source, s.paused_by, s.fault, s.tzdata, s.last_at,
       case when s.tzdata is not null then s.next_at end, s.last_job
from pgqueue.schedules_shown as s
where s.name operator(pg_catalog.>) $1::pg_catalog.text
order by s.name
limit $2::pg_catalog.int4
