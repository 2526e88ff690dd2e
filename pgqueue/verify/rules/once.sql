-- Begun again although it was to run at most once.
select start.job_id, format('begun by claims %s', string_agg(start.claim::text, ', ' order by start.claim)) as detail
from verify.starts as start
join verify.asked as asked on asked.job_id = start.job_id and asked.created and asked.kind = 'once'
-- A human's retry of a dead job gives it a new life.
cross join lateral (
  select count(*) as number from verify.hands as hand
  where hand.job_id = start.job_id and hand.died_at is not null and hand.answer <> 'dead'
    and hand.claim < start.claim) as life
group by start.job_id, life.number
having count(distinct start.claim) > 1
