-- The names of up to $1 queues that have jobs: one probe each.
select found.queue from pgqueue.first_queues($1::int) as found (queue)
