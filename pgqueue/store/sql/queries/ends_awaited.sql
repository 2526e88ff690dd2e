-- What became of jobs $1, in their order: id, state (null: there is no such job), reason, result, and the last traceback
-- among the newest $2 attempts of one that ended without success. Walks primary keys; O(jobs log n).
select asked.id, one.state, one.reason, kept.result, raised.traceback
from pg_catalog.unnest($1::pg_catalog.uuid[]) with ordinality as asked (id, number)
-- Each with a limit: as joins they could be turned round, and walk tables.
left join lateral (
  select job.state, job.reason
  from pgqueue.job as job
  where job.id operator(pg_catalog.=) asked.id
  limit 1) as one on true
left join lateral (
  select stored.result::pg_catalog.text as result
  from pgqueue.results as stored
  where one.state operator(pg_catalog.=) 'succeeded' and stored.job_id operator(pg_catalog.=) asked.id
    and stored.expires_at operator(pg_catalog.>) pg_catalog.now()
  limit 1) as kept on true
left join lateral (
  select latest.traceback
  from (
    select ended.traceback, ended.claim
    from pgqueue.attempts as ended
    where one.state operator(pg_catalog.=) any (array['dead', 'cancelled'])
      and ended.job_id operator(pg_catalog.=) asked.id
    order by ended.claim desc
    limit $2::pg_catalog.int4) as latest
  where latest.traceback is not null
  order by latest.claim desc
  limit 1) as raised on true
order by asked.number
