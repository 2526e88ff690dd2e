-- Settings under which the promises do not hold, or that hide what goes on; with what takes each back. What a session of
-- ours sets for itself is not among them. Reads pg_settings alone.
select wrong.name, s.reset_val, wrong.severity, wrong.why,
       case s.source
         when 'database' then format('alter database %I reset %s;', current_database(), wrong.name)
         when 'user' then format('alter role %I reset %s;', session_user, wrong.name)
         when 'database user' then format('alter role %I in database %I reset %s;', session_user, current_database(), wrong.name)
         when 'global' then format('alter role all reset %s;', wrong.name)
         else format('alter system set %s = %s; select pg_reload_conf();', wrong.name, wrong.good) end
from (values
  ('fsync', 'on', 'FAIL', 'a crash of the machine loses or damages what was committed'),
  ('full_page_writes', 'on', 'FAIL', 'a crash of the machine damages pages'),
  ('zero_damaged_pages', 'off', 'FAIL', 'damaged pages are emptied, and their jobs lost'),
  ('session_replication_role', 'origin', 'FAIL', 'triggers do not run: rows that no function wrote are not checked'),
  ('synchronous_commit', 'on', 'warn', 'a crash of the server loses what was committed in the last moments'),
  ('track_counts', 'on', 'warn', 'autovacuum does not run, and what is dead is not known'),
  ('track_activities', 'on', 'warn', 'who holds a lock, or the horizon, is not seen')) as wrong (name, good, severity, why)
join pg_settings as s on s.name = wrong.name
where s.reset_val <> wrong.good
  -- These are stricter, or as good without a standby.
  and not (wrong.name = 'synchronous_commit' and s.reset_val in ('local', 'remote_write', 'remote_apply'))
order by wrong.severity, wrong.name
