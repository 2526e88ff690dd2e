-- Who holds what a statement of ours may wait for, in words: locks on our tables that exclude writing, locks on the id
-- of a worker, and, where there are none, the transactions that have had our tables in use for longest (their rows may
-- be locked). What others ask is not shown: not every role may see it. Reads the lock table; for after a lock timeout.
with holder as (
  select who.pid, who.usename, who.application_name, who.xact_start,
         case when lock.locktype = 'advisory' then 'the lock of worker ' || worker.id
              when lock.mode ~ '^(Share|ShareRowExclusive|Exclusive|AccessExclusive)Lock$'
                then lock.mode || ' on ' || lock.relation::regclass
              else 'perhaps rows of ' || lock.relation::regclass end as what,
         case when lock.locktype = 'advisory' or lock.mode ~ '^(Share|ShareRowExclusive|Exclusive|AccessExclusive)Lock$'
              then 1 else 2 end as likelihood
  from pg_locks as lock
  join pg_stat_activity as who on who.pid = lock.pid
  left join pg_class as class on lock.locktype = 'relation' and class.oid = lock.relation
  left join pgqueue.workers as worker
    on lock.locktype = 'advisory' and lock.objsubid = 1
    and (lock.classid::bigint << 32 | lock.objid::bigint) = worker.id
  where lock.granted and lock.pid <> pg_backend_pid()
    and lock.database = (select oid from pg_database where datname = current_database())
    and (worker.id is not null and lock.mode = 'ExclusiveLock'
         or class.relnamespace = 'pgqueue'::regnamespace and class.relkind = 'r'
            and lock.mode in ('RowShareLock', 'RowExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
                              'ExclusiveLock', 'AccessExclusiveLock'))
)
select format('pid %s (role %s%s) holds %s since %s', holder.pid, holder.usename,
              coalesce(', ' || nullif(holder.application_name, ''), ''), string_agg(distinct holder.what, ', '),
              coalesce(to_char(holder.xact_start at time zone 'UTC', 'HH24:MI:SS "UTC"'), 'it connected'))
from holder
where holder.likelihood = (select min(best.likelihood) from holder as best)
group by holder.pid, holder.usename, holder.application_name, holder.xact_start
order by holder.xact_start nulls first, holder.pid
limit 3
