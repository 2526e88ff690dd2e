-- Operations, the newest first: at most $2 below number $1. Walks operations_pkey.
select o.id, o.kind, o.filter, o.priority, o.rate, o.detached, o.trial, o.most_failing, o.trial_ids, o.who, o.via, o.reason,
       o.state, o.why, o.below, o.looked, o.done, o.skipped, o.failed, o.made_at, o.changed_at, o.next_at
from pgqueue.operations as o
where $1::bigint is null or o.id < $1
order by o.id desc
limit $2::int
