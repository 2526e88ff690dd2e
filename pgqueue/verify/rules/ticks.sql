-- Ticks doubled, left out, fired early, or fired without their job.
select job.id as job_id, format('says that it is a tick of %s, and no tick is known to have enqueued it', job.labels)
  as detail
from pgqueue.job as job
where job.labels ? 'schedule' and not exists (select from pgqueue.ticks as tick where tick.job_id = job.id)
union all
select tick.job_id, format('tick of %s at %s: its job is nowhere', tick.schedule, tick.scheduled_for)
from pgqueue.ticks as tick
where tick.job_id is not null and not exists (select from pgqueue.job as job where job.id = tick.job_id)
union all
select tick.job_id, format('tick of %s at %s fired at %s', tick.schedule, tick.scheduled_for, tick.decided_at)
from pgqueue.ticks as tick
where tick.decided_at < tick.scheduled_for
union all
select null, format('no tick of %s between %s and %s', tick.schedule, tick.before, tick.scheduled_for)
from (
  select tick.schedule, tick.scheduled_for,
         lag(tick.scheduled_for) over (partition by tick.schedule order by tick.scheduled_for) as before
  from pgqueue.ticks as tick
  where tick.why <> 'by hand') as tick
join pgqueue.schedules as schedule on schedule.name = tick.schedule
where extract(epoch from tick.scheduled_for - tick.before) <> schedule.every
