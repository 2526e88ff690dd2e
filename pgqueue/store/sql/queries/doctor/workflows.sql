-- Of $1 workflows of each kind: how many have failed; how many stand though nothing of them is dead, and one of these; how
-- many have counts that were refused, and one of these.
-- Walks what workflows_with_dead() and workflows_stuck() walk, and arrivals, which is empty as a rule.
select bad.n, stuck.n, stuck.first, refused.n, refused.first
from (
  select count(*)::int as n from pgqueue.workflows_with_dead(null, $1::int) as bad where bad.state = 'failed') as bad,
 (select count(*)::int as n, min(each::text) as first from pgqueue.workflows_stuck($1::int) as each) as stuck,
 (select count(distinct late.workflow_id)::int as n, min(late.workflow_id::text) as first
  from (select a.workflow_id from pgqueue.arrivals as a where a.again_at is not null limit $1::int) as late) as refused
