-- As search_live, of the jobs at the heads of the queues $15, or of all: looks at about $12 on each side of now. What is
-- said as the last one is no job's id, and null if the heads are all there is. Walks jobs_claim (peek.sql), and jobs_pkey
-- for those of the states alone.
with peeked as materialized (
  select at_head.id, at_head.beyond,
         case when at_head.worker is not null then 'running'
              when at_head.due then 'ready'
              when at_head.attempt > 0 then 'retrying'
              else 'scheduled' end as state
  from pgqueue.peek($15::text[], $12::int) as at_head
), head as (
  select count(*) as looked,
         case when bool_or(peeked.beyond) then '00000000-0000-0000-0000-000000000000'::uuid end as last
  from peeked
), placed as (
  select job.*, peeked.state
  from peeked
  join pgqueue.jobs_shown as job on job.id = peeked.id
  where peeked.state = any ($1::text[]) and peeked.id >= $10::uuid and peeked.id < $11::uuid
    and ($14::uuid[] is null or peeked.id = any ($14))
)
\ir parts/live_candidates
