-- Who holds what a statement of ours may wait for, in words: locks on our tables that exclude writing, and, where there
-- are none, the transactions that have had our tables in use for longest (their rows may be locked). What others ask is
-- not shown: not every role may see it. Reads the lock table; for after a lock timeout.
with holder as (
  select who.pid, who.usename, who.application_name, who.xact_start,
         case when excluding.it then lock.mode || ' on ' || lock.relation::regclass
              else 'perhaps rows of ' || lock.relation::regclass end as what,
         case when excluding.it then 1 else 2 end as likelihood
  from pg_locks as lock
  join pg_stat_activity as who on who.pid = lock.pid
  join pg_class as class on lock.locktype = 'relation' and class.oid = lock.relation
  cross join lateral (
    select lock.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') as it) as excluding
  where lock.granted and lock.pid <> pg_backend_pid()
    and lock.database = (select oid from pg_database where datname = current_database())
    and class.relnamespace = 'pgqueue'::regnamespace and class.relkind in ('r', 'p')
    and (excluding.it or lock.mode in ('RowShareLock', 'RowExclusiveLock'))
)
select format('pid %s (role %s%s) holds %s since %s', holder.pid, holder.usename,
              coalesce(', ' || nullif(holder.application_name, ''), ''), string_agg(distinct holder.what, ', '),
              coalesce(to_char(holder.xact_start at time zone 'UTC', 'HH24:MI:SS "UTC"'), 'it connected'))
from holder
where holder.likelihood = (select min(best.likelihood) from holder as best)
group by holder.pid, holder.usename, holder.application_name, holder.xact_start
order by holder.xact_start nulls first, holder.pid
limit 3
