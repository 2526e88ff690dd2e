-- Who holds locks on tables and views of pgqueue in a transaction, the oldest first: for a migration that found them
-- locked. Reads the lock table and pg_stat_activity.
select format('pid %s of role %s (%s since %s) holds %s on %s', activity.pid, coalesce(activity.usename, 'unknown'),
              activity.state, to_char(activity.xact_start, 'HH24:MI:SS'),
              string_agg(distinct held.mode, ', '), string_agg(distinct held.relation::regclass::text, ', '))
from pg_locks as held
join pg_class as c on c.oid = held.relation
join pg_namespace as n on n.oid = c.relnamespace
join pg_stat_activity as activity on activity.pid = held.pid
where n.nspname = 'pgqueue' and c.relkind in ('r', 'p', 'v') and held.granted and held.pid <> pg_backend_pid()
  and held.database = (select d.oid from pg_database as d where d.datname = current_database())
group by activity.pid, activity.usename, activity.state, activity.xact_start
order by activity.xact_start
limit 3
