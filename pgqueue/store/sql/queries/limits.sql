-- The limits behind one, in order. Walks limits_pkey; O(limit).
select l.scope, l.name, l.concurrency, l.starts, l.period, l.burst, l.weight, l.ordered, l.on_dead, l.source,
       l.changed_at
from pgqueue.limits as l
where (l.scope, l.name) > ($1::text, $2::text)
order by l.scope, l.name
limit $3::int
