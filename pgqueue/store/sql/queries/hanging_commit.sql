-- A session whose commit has waited for a synchronous standby for longer than a second, in words; no row if there is
-- none, or if our own commits wait for no standby. Sessions of other roles are seen only by who may see them.
select format('session %s (%s) has waited with its commit since %s', who.pid, who.application_name,
              to_char(who.state_change at time zone 'UTC', 'HH24:MI:SS "UTC"'))
from pg_stat_activity as who
where who.wait_event = 'SyncRep' and who.state_change < clock_timestamp() - interval '1 second'
  and current_setting('synchronous_commit') not in ('off', 'local')
order by who.state_change
limit 1
