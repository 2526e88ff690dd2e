-- The names of all queues that have jobs, as first_queues() finds them: three probes a queue.
create or replace function pgqueue.queue_names() returns setof text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$ begin return query select found.queue from pgqueue.first_queues(null) as found (queue); end $$;
