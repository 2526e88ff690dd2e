-- How full the queues were (all together, or $3 alone), a row for each $4 seconds between $1 and $2: on the average, and
-- the longest wait. What came in is the number of jobs, of so many seconds in all.
-- Looks at the newest $5 rows of depths of each span. Walks depths_pkey, or depths_queue.
with noted as (
  (select d.minute, d.span, d.ready, d.later, d.running, d.dead, d.oldest, d.entered
   from pgqueue.depths as d
   where d.span = 60 and d.minute >= $1::timestamptz and d.minute < $2::timestamptz
     and ($3::text is null or d.queue = $3)
   order by d.minute desc limit $5::int)
  union all
  (select d.minute, d.span, d.ready, d.later, d.running, d.dead, d.oldest, d.entered
   from pgqueue.depths as d
   where d.span = 3600 and d.minute >= $1 and d.minute < $2 and ($3 is null or d.queue = $3)
   order by d.minute desc limit $5)
  union all
  (select d.minute, d.span, d.ready, d.later, d.running, d.dead, d.oldest, d.entered
   from pgqueue.depths as d
   where d.span = 86400 and d.minute >= $1 and d.minute < $2 and ($3 is null or d.queue = $3)
   order by d.minute desc limit $5)
), moments as (
  select noted.minute, noted.span, sum(noted.ready) as ready, sum(noted.later) as later, sum(noted.running) as running,
         sum(noted.dead) as dead, max(noted.oldest) as oldest, sum(noted.entered) as entered
  from noted
  group by noted.minute, noted.span
)
select to_timestamp(floor(extract(epoch from moments.minute) / $4::float8) * $4) as at,
       avg(moments.ready)::float8, avg(moments.later)::float8, avg(moments.running)::float8, max(moments.dead)::float8,
       max(moments.oldest)::float8, sum(moments.entered)::float8, sum(moments.span)::float8
from moments
group by 1
order by 1
