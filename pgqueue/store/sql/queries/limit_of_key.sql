-- The limit that rules a key (rule_of_key.sql).
select l.scope, l.name, l.concurrency, l.starts, l.period, l.burst, l.weight, l.ordered, l.on_dead, l.source,
       l.changed_at, null::int
from pgqueue.rule_of_key($1::text) as l
