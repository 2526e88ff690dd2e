-- The first and the last workflow whose id lies between $1 and $2; nulls if there is none. Walks workflows_pkey; O(log n).
select (
  select w.id from pgqueue.workflows as w
  where w.id operator(pg_catalog.>=) $1::pg_catalog.uuid and w.id operator(pg_catalog.<=) $2::pg_catalog.uuid
  order by w.id limit 1), (
  select w.id from pgqueue.workflows as w
  where w.id operator(pg_catalog.>=) $1::pg_catalog.uuid and w.id operator(pg_catalog.<=) $2::pg_catalog.uuid
  order by w.id desc limit 1)
