-- As effects, of those that are not done. Walks effects_open, whose rows are few.
select e.scope, e.key, view.state, e.reserved_at, e.done_at, e.expires_at, e.target, e.job_id, e.attempt, e.value::text
from pgqueue.effects_shown as e
cross join lateral (select case when e.state = 'reserved' and not pgqueue.is_running(e.job_id, e.worker, e.claim)
  then 'unknown' else e.state end as state) as view
where e.state <> 'done'
  and (e.scope, e.key) > ($5::text, $6::text)
  and ($1::text is null or (e.scope = $1::text and e.key >= $2::text))
  and ($3::text is null or e.key < $3::text)
order by e.scope, e.key
limit $4::int
