-- How many of the first $1 workflows with dead jobs have failed. Walks what workflows_with_dead() walks.
select pg_catalog.count(*)
from pgqueue.workflows_with_dead(null, $1::pg_catalog.int4) as bad
where bad.state operator(pg_catalog.=) 'failed'
