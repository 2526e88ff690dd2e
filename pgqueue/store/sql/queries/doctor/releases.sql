-- Live workers of a release that does not say what it knows, and apps of which live workers declare several sets of
-- rules: two deploys at once. Reads `workers`.
select 'older' as what, count(*), min(w.host || ', pid ' || w.pid)
from pgqueue.workers as w
where w.expires_at > clock_timestamp() and w.targets is null and w.queues is distinct from '{}'
having count(*) > 0
union all
select 'rules', count(distinct said.hash), said.source
from (
  select regexp_replace(told.word, '=[^=]*$', '') as source, told.word as hash
  from pgqueue.workers as w cross join lateral unnest(w.rule_sets) as told (word)
  where w.expires_at > clock_timestamp()) as said
group by said.source
having count(distinct said.hash) > 1
