-- Which workers hold jobs at the heads of the queues, how many, and whether there are more due jobs than were looked
-- at.
-- Looks at about $1 jobs. Walks jobs_claim: see peek.sql.
select head.worker, count(*), bool_or(bool_or(head.due and head.beyond)) over ()
from pgqueue.peek(null, $1::int) as head
group by head.worker
