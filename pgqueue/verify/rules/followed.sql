-- Follow-ups: an end that is not followed as its task says, or more than once, or something else that is.
with ends as (
  select ended.job_id, ended.state, ended.claim
  from verify.ended as ended
  join verify.asked as asked on asked.job_id = ended.job_id and asked.created and asked.kind = 'followed'
  union all
  -- The deaths from which it was revived.
  select hand.job_id, 'dead', hand.claim
  from verify.hands as hand
  join verify.asked as asked on asked.job_id = hand.job_id and asked.created and asked.kind = 'followed'
  where hand.died_at is not null and hand.answer <> 'dead'
), wanted as (
  select ends.job_id, awaited.how, count(*) as times
  from ends
  join (values ('succeeded', 'on_success'), ('succeeded', 'on_end'), ('dead', 'on_failure'), ('dead', 'on_end'),
               ('cancelled', 'on_end')) as awaited (state, how) on awaited.state = ends.state
  group by ends.job_id, awaited.how
), found as (
  select brought.parent as job_id, brought.how, count(*) as times
  from verify.brought as brought where brought.how like 'on_%'
  group by brought.parent, brought.how
)
select job_id, format('%s: followed %s times, not %s', how, coalesce(found.times, 0), coalesce(wanted.times, 0)) as detail
from wanted
full join found using (job_id, how)
where wanted.times is distinct from found.times
