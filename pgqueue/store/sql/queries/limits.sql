-- The limits behind one, in order, and how many shares of each are taken: of a name with a *, of all its keys together; a
-- thousand at most. Walks limits_pkey, holds_pkey; O(limit * shares).
select l.scope, l.name, l.concurrency, l.starts, l.period, l.burst, l.weight, l.ordered, l.on_dead, l.source,
       l.changed_at, used.shares
from pgqueue.limits as l
cross join lateral (
  select left(l.scope, 1) || ':' || rtrim(l.name, '*') as name, l.scope = 'key' and right(l.name, 1) = '*' as is_prefix
) as held
cross join lateral (
  select count(*) filter (where h.name = held.name or held.is_prefix and starts_with(h.name, held.name))::int as shares
  from (
    select h.name from pgqueue.holds as h
    where h.name >= held.name and (held.is_prefix or h.name = held.name)
    order by h.name
    limit 1000) as h) as used
where (l.scope, l.name) > ($1::text, $2::text)
order by l.scope, l.name
limit $3::int
