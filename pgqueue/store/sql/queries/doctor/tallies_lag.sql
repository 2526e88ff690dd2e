-- What is counted late: live workers that have appended no tallies for longer than $1; the row of depths that is to come
-- each minute; tallies of workers that nobody has made into one. With how many workers live.
-- Reads `workers`, `worker_reports`, `duties`; walks tallies_raw, one row.
select
  (select count(*) from pgqueue.workers as w join pgqueue.worker_reports as r on r.id = w.id
   where w.expires_at > clock_timestamp() and w.started_at < clock_timestamp() - $1::interval
     and r.tallied_until < clock_timestamp() - $1::interval),
  (select extract(epoch from clock_timestamp() - duty.done_at)::float8 from pgqueue.duties as duty where duty.name = 'depths'),
  (select extract(epoch from clock_timestamp() - oldest.minute)::float8
   from (select t.minute from pgqueue.tallies as t where t.worker is not null order by t.minute limit 1) as oldest),
  (select count(*) from pgqueue.workers as w
   where w.expires_at > clock_timestamp() and w.started_at < clock_timestamp() - $1::interval)
