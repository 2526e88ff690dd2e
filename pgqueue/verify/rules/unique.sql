-- A unique key that two jobs had at once.
with begun as (
  select asked.job_id, asked.unique_key, asked.at
  from verify.asked as asked where asked.created and asked.unique_key is not null and not asked.until_start
  union all
  select hand.job_id, asked.unique_key, hand.at
  from verify.hands as hand
  join verify.asked as asked on asked.job_id = hand.job_id and asked.created and asked.unique_key is not null
    and not asked.until_start
  where hand.died_at is not null and hand.answer <> 'dead'
), over as (
  select ended.job_id, ended.at from verify.ended as ended
  union all
  select hand.job_id, hand.died_at from verify.hands as hand where hand.died_at is not null and hand.answer <> 'dead'
), live as (
  -- From when it was certainly there until the end was certainly not yet written.
  select begun.job_id, begun.unique_key, begun.at as since,
         coalesce((select min(over.at) from over where over.job_id = begun.job_id and over.at >= begun.at), 'infinity')
           as until
  from begun
)
select second.job_id, format('key %s, live since %s; job %s had it from %s to %s', second.unique_key, second.since,
                             first.job_id, first.since, first.until) as detail
from live as second
join live as first on first.unique_key = second.unique_key and first.job_id <> second.job_id
  and first.since < second.since and first.until > second.since
