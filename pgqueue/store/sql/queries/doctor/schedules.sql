-- Schedules that nobody can decide about, or whose time came more than $1 ago and nobody looked. Walks schedules_due;
-- reads `schedules` for faults.
select s.name, s.fault, extract(epoch from clock_timestamp() - s.next_at)::float8, s.target,
       (select count(*) from pgqueue.workers as w where w.expires_at > clock_timestamp())
from pgqueue.schedules as s
where s.paused_by is null and (s.fault is not null or s.next_at < clock_timestamp() - $1::interval)
order by s.next_at
limit 20
