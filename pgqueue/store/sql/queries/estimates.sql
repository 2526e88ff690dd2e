-- How large the tables are, as the planner believes; null if never analysed. Reads three rows of pg_class.
select (select nullif(reltuples, -1)::bigint from pg_class where oid = 'pgqueue.jobs'::regclass) as jobs,
       (select nullif(reltuples, -1)::bigint from pg_class where oid = 'pgqueue.dead_jobs'::regclass) as dead_jobs,
       (select nullif(reltuples, -1)::bigint from pg_class where oid = 'pgqueue.attempts'::regclass) as attempts
