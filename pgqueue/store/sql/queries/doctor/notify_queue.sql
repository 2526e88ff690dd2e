-- How full the server's queue of notifications is, and whose transaction has been open for longest: a listener in one
-- keeps all notifications since. Reads pg_stat_activity.
select pg_notification_queue_usage(), oldest.pid,
       concat_ws(', ', oldest.usename, nullif(oldest.application_name, ''), oldest.state)
from (values (1)) as always
left join lateral (
  select who.pid, who.usename, who.application_name, who.state from pg_stat_activity as who
  where who.datname = current_database() and who.pid <> pg_backend_pid() and who.xact_start is not null
    and coalesce(who.backend_type, 'client backend') = 'client backend'
  order by who.xact_start
  limit 1) as oldest on true
