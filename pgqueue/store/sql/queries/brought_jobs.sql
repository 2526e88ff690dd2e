-- Where jobs $1 come from that the database has made: after the end of which other job, and how; or by the tick at $3 of
-- schedule $2, if that was recorded with this job, and how the schedule is signed.
-- Walks lineage_pkey, ticks_pkey, schedules_pkey, and the primary keys of parents; O(jobs log n).
select told.id, line.parent_id, line.how, parent.target, tick.schedule, tick.signature
from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as told (id, schedule, scheduled_for)
-- Limited: as plain joins they could be turned round, and walk the tables.
left join lateral (
  select l.parent_id, l.how from pgqueue.lineage as l where l.job_id = told.id limit 1) as line on true
left join lateral (
  select job.target from pgqueue.job as job where job.id = line.parent_id limit 1) as parent on true
left join lateral (
  select t.schedule, (select s.signature from pgqueue.schedules as s where s.name = t.schedule) as signature
  from pgqueue.ticks as t
  where t.schedule = told.schedule and t.scheduled_for = told.scheduled_for and t.job_id = told.id
  limit 1) as tick on true
