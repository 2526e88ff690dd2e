-- Lanes broken: two of one lane at work at once, or a later one before an earlier.
with lane as (
  select distinct on (move.job_id) move.job_id, move.limit_key, move.queue, move.priority, move.run_at, move.at,
         rule.ordered
  from verify.moves as move
  join verify.rules as rule on rule.scope = 'key' and rule.concurrency = 1
    and starts_with(move.limit_key, rtrim(rule.name, '*'))
    and not exists (
      select from verify.rules as other
      where other.scope = 'key' and other.name = rule.name and other.concurrency <> 1)
  where move.what = 'there'
  order by move.job_id, move.seq
)
select second.job_id, format('claim %s of lane %s began at %s, job %s ran until %s', second.claim, mine.limit_key,
                             second.at, first.job_id, over.at) as detail
from lane as mine
join verify.starts as second on second.job_id = mine.job_id
join lane as theirs on theirs.limit_key = mine.limit_key and theirs.job_id <> mine.job_id
join verify.starts as first on first.job_id = theirs.job_id and first.at < second.at
cross join lateral (
  select max(sign.at) as at from verify.ends as sign
  where sign.job_id = first.job_id and sign.claim = first.claim) as over
left join pgqueue.attempts as attempt on attempt.job_id = first.job_id and attempt.claim = first.claim
left join pgqueue.attempts as its on its.job_id = second.job_id and its.claim = second.claim
-- Whose lease had expired may go on, or begin: nothing that it does counts.
where over.at > second.at and coalesce(attempt.outcome not in ('lost', 'late'), true)
  and coalesce(its.outcome not in ('lost', 'late'), true)
union all
select mine.job_id, format('claim %s of lane %s at %s, before job %s, which was there at %s', begun.claim,
                           mine.limit_key, begun.at, theirs.job_id, theirs.at)
from lane as mine
join verify.moves as begun on begun.job_id = mine.job_id and begun.what = 'claimed'
join lane as theirs on theirs.limit_key = mine.limit_key and theirs.queue = mine.queue
  and theirs.priority = mine.priority and theirs.job_id <> mine.job_id
where mine.ordered
  and case when exists (
      select from verify.moves as back
      join pgqueue.attempts as attempt on attempt.job_id = back.job_id and attempt.claim = back.claim
      where back.job_id = theirs.job_id and back.what = 'freed' and back.seq < begun.seq
        and attempt.outcome <> 'released')
    -- It has begun, and is retried: it holds the lane.
    then true
    else (theirs.run_at, theirs.job_id) < (mine.run_at, mine.job_id)
      -- It is noted before its COMMIT, which may take a while.
      and theirs.at < begun.at - interval '2 s'
      and not exists (
        select from verify.moves as before
        where before.job_id = mine.job_id and before.what = 'claimed' and before.seq < begun.seq) end
  and not exists (
    select from verify.moves as over
    where over.job_id = theirs.job_id and over.what = 'gone' and over.seq < begun.seq)
  -- A human has put it elsewhere.
  and not exists (select from verify.hands as hand where hand.job_id in (mine.job_id, theirs.job_id))
