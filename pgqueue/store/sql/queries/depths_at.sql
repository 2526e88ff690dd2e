-- How full the queues were when that was noted last before $1, the fullest $2: a minute, an hour or a day, whichever is kept of then.
-- Nothing if nobody noted anything in the hour before, or in the hour or day that has it. Walks depths_pkey.
with newest as materialized (
  select noted.span, noted.minute
  from (
    (select d.span, d.minute from pgqueue.depths as d
     where d.span = 60 and d.minute <= $1::timestamptz and d.minute > $1 - interval '1 hour'
     order by d.minute desc limit 1)
    union all
    (select d.span, d.minute from pgqueue.depths as d
     where d.span = 3600 and d.minute <= $1 and d.minute > $1 - interval '1 hour'
     order by d.minute desc limit 1)
    union all
    (select d.span, d.minute from pgqueue.depths as d
     where d.span = 86400 and d.minute <= $1 and d.minute > $1 - interval '1 day'
     order by d.minute desc limit 1)) as noted
  order by noted.span
  limit 1
)
select d.minute, d.span, d.queue, d.ready, d.later, d.running, d.dead, d.oldest, d.entered, d.exact
from newest
cross join lateral (
  select * from pgqueue.depths as noted where noted.span = newest.span and noted.minute = newest.minute
  order by noted.queue limit 1000) as d
order by d.ready + d.running desc, d.queue
limit $2::int
