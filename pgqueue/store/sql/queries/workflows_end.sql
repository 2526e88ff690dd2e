-- The last of the first $2 workflows below $1; no row if there are fewer. Walks workflows_pkey backwards.
select looked.last
from (
  select pg_catalog.count(*) as n, (pg_catalog.array_agg(w.id order by w.id))[1] as last
  from (
    select w.id from pgqueue.workflows as w
    where w.id operator(pg_catalog.<) $1::pg_catalog.uuid
    order by w.id desc
    limit $2::pg_catalog.int4) as w) as looked
where looked.n operator(pg_catalog.>=) $2::pg_catalog.int4
