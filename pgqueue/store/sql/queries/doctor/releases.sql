-- Live workers of a release that does not say what it knows, and apps of which live workers declare several sets of
-- rules; and several releases, of their code or of pgqueue, that live workers tell: two deploys at once. Reads `workers`
-- and `worker_reports`.
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
union all
select told.what, count(distinct told.said), string_agg(distinct told.said, ', ')
from (
  select 'release' as what, left(r.report ->> 'release', 60) as said
  from pgqueue.workers as w join pgqueue.worker_reports as r on r.id = w.id
  where w.expires_at > clock_timestamp() and r.report ->> 'release' <> '' and pg_column_size(r.report) <= 20000
  union all
  select 'pgqueue', left(r.report ->> 'pgqueue', 60)
  from pgqueue.workers as w join pgqueue.worker_reports as r on r.id = w.id
  where w.expires_at > clock_timestamp() and r.report ->> 'pgqueue' <> '' and pg_column_size(r.report) <= 20000) as told
group by told.what
having count(distinct told.said) > 1
