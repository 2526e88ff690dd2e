-- One limit. Walks limits_pkey; O(log n).
select l.scope, l.name, l.concurrency, l.starts, l.period, l.burst, l.weight, l.ordered, l.on_dead, l.source,
       l.changed_at, null::int
from pgqueue.limits as l
where l.scope = $1::text and l.name = $2::text
