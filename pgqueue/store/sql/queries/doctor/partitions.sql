-- How the partitions of attempts and dead_jobs stand, a row a table: whether it has any; whether it is being copied; how
-- many there are; until when they are made; how large what lies beside them is; which could have been dropped a day ago,
-- where $1 and $2 are how long attempts and dead jobs are kept, and were not; and of which too much is kept.
-- Reads the catalogue.
select told.name, c.relkind = 'p', to_regclass(format('pgqueue.%I_copy', told.name)) is not null,
       count(part.name), max(part.ends), coalesce(max(part.bytes) filter (where part.kind = 'rest'), 0),
       array_agg(part.name order by part.begins) filter (
         where part.ends < now() - told.keep - interval '2 days' and (part.again_at is null or part.again_at < now())),
       array_agg(part.name order by part.begins) filter (where part.again_at >= now())
from (values ('attempts', $1::interval), ('dead_jobs', $2::interval)) as told (name, keep)
join pg_class as c on c.oid = to_regclass(format('pgqueue.%I', told.name))
left join pgqueue.partitions_of(told.name) as part on true
group by told.name, c.relkind
order by told.name
