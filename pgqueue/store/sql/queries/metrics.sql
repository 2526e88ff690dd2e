-- What is told of the whole database: (metric, label, value). Reads the statistics of this server, every row of
-- workers, the schedules in order of name until 200 late ones are found, and 10,000 open alerts; none of the jobs.
select 'workers' as metric,
       case when w.expires_at <= clock_timestamp() then 'lost' when w.asked = 'quiet' then 'quiet' else 'alive' end
         as label,
       count(*)::float8 as value
from pgqueue.workers as w
group by 2
union all
select 'schedule_late_seconds', late.name, extract(epoch from clock_timestamp() - late.next_at)::float8
from (
  select s.name, s.next_at
  from pgqueue.schedules as s
  where s.paused_by is null and s.next_at < now()
  order by s.name
  limit 200) as late
union all
-- Walks causes_first.
select 'causes_new', '', count(*)::float8
from (
  select from pgqueue.causes as c where c.first_at > now() - interval '1 hour' limit 10000) as first_met
union all
-- Walks manual_jobs_since.
select told.metric, '', told.value
from (
  select count(*)::float8 as n, coalesce(extract(epoch from clock_timestamp() - min(m.since)), 0)::float8 as age
  from (select manual.since from pgqueue.manual_jobs as manual
        order by manual.since, manual.job_id limit 10000) as m) as waiting
cross join lateral (
  values ('manual_jobs', waiting.n), ('manual_oldest_seconds', waiting.age)) as told (metric, value)
union all
-- A step of an index a workflow. Walks what workflows_with_dead() walks.
select 'workflows_failed', '', count(*)::float8
from pgqueue.workflows_with_dead(null, 1000) as bad
where bad.state = 'failed'
union all
-- Partitions count for their table.
select 'table_dead_rows', coalesce(whole.relname, t.relname)::text, sum(t.n_dead_tup)::float8
from pg_stat_user_tables as t
left join pg_inherits as part on part.inhrelid = t.relid
left join pg_class as whole on whole.oid = part.inhparent
where t.schemaname = 'pgqueue'
group by 2
union all
-- Of transactions that are prepared, too; those of autovacuum hold nothing back.
select 'horizon_age_seconds', '', coalesce(extract(epoch from max(clock_timestamp() - held.since)), 0)::float8
from (
  select a.xact_start as since
  from pg_stat_activity as a
  where (a.backend_xmin is not null or a.backend_xid is not null) and a.pid <> pg_backend_pid()
    and a.backend_type <> 'autovacuum worker'
  union all
  select p.prepared from pg_prepared_xacts as p) as held
union all
select 'notify_queue_usage_ratio', '', pg_notification_queue_usage()
union all
-- Of each kind that there is. Walks alerts_open.
select 'alerts_open', each.kind, count(wrong.kind)::float8
from pgqueue.alert_bounds() as each
left join (
  select a.kind from pgqueue.alerts as a where a.state <> 'well' order by a.key limit 10000) as wrong
  on wrong.kind = each.kind
group by each.kind
