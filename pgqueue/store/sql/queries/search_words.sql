-- Queues and tasks that a search may name: of the newest $1 rows of tallies, and what $2 apps can run (queue null). Never
-- asks the jobs. Walks tallies_span and targets_pkey; O($1 + $2).
select lately.queue, lately.target
from (
  select noted.queue, noted.target
  from pgqueue.tallies as noted
  where noted.span = 60
  order by noted.minute desc
  limit $1::int
) as lately
group by lately.queue, lately.target
union all
select null, known.name
from (select app.names from pgqueue.targets as app order by app.hash limit $2::int) as apps,
     unnest(apps.names) as known (name)
limit 2000
