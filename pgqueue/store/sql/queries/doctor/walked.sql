-- How many entries of jobs_claim this transaction has walked. Reads one counter.
select coalesce(pg_stat_get_xact_tuples_returned('pgqueue.jobs_claim'::regclass), 0)
