-- The feeds, by name; only $1 if it is not null. A feed is fed as long as its feeder's session holds its lock; behind a
-- pooler, where nobody's session can tell, as long as it does not say that it has ended.
-- Walks feeds_pkey, feed_batches_pkey, jobs_pkey: one probe a job that had not ended when its feeder last looked.
select feed.name, feed.source, feed.target,
       case when feed.finished_at is not null then 'finished'
            when feed.feeder is not null and (feed.pooled or exists (
              select from pg_catalog.pg_locks as held
              where held.locktype = 'advisory' and held.classid = 7704 and held.objid = feed.number and held.granted
                and held.database = (select d.oid from pg_catalog.pg_database as d
                                     where d.datname = pg_catalog.current_database())))
              then 'feeding'
            when feed.error is not null then 'failed'
            else 'stopped' end as state,
       feed.items, feed.cursor::text,
       (select pg_catalog.count(*) from pgqueue.feed_batches as old
        cross join lateral unnest(old.ids) as fed (id)
        join pgqueue.jobs as job on job.id = fed.id
        where old.feed = feed.name) as waiting,
       feed.buffer, feed.host, feed.pid, feed.error, feed.created_at, feed.fed_at, feed.finished_at
from pgqueue.feeds as feed
where $1::text is null or feed.name = $1::text
order by feed.name
