-- A rule is new, has changed, or is gone: what that means for others, in the transaction that changed it. A key's rule
-- that is gone leaves its keys to the next shorter one, which may find jobs that run without a share: it waits until
-- they have one, as a new rule does (write_limit.sql, adopt_limits.sql). Idle workers are told: there may be room.
-- Walks limits_pkey and the heads of the queues; O(queues log n), at most 100 queues.
create or replace function pgqueue.limit_changed(_scope text, _name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if _scope = 'key' and not exists (select from pgqueue.limits as l where l.scope = 'key' and l.name = _name) then
    update pgqueue.limits as l
    set adopted = false
    from (
      select rule.name from pgqueue.limits as rule
      where rule.scope = 'key' and right(rule.name, 1) = '*' and starts_with(_name, left(rule.name, -1))
      order by length(rule.name) desc
      limit 1) as next
    where l.scope = 'key' and l.name = next.name and l.concurrency is not null;
  end if;
  if _scope = 'key' then
    -- Who held an ordered lane while it waited, or stopped it when it died, and is not to any more.
    with idle as materialized (
      select h.ctid, h.job_id, h.seq
      from pgqueue.holds as h
      cross join lateral pgqueue.rule_of_key(substr(h.name, 3)) as rule
      where h.name >= 'k:' || rtrim(_name, '*') and h.name <= 'k:' || rtrim(_name, '*') || chr(1114109)
        and (not rule.ordered
               and exists (select from pgqueue.jobs as j where j.id = h.job_id and j.hold = h.seq and j.worker is null)
             or rule.on_dead <> 'stop'
               and exists (select from pgqueue.dead_jobs as d where d.id = h.job_id and d.hold = h.seq))
    ), freed as (
      delete from pgqueue.holds as h where h.ctid = any (array(select idle.ctid from idle))
    )
    update pgqueue.jobs as job
    set hold = null
    from idle
    where job.id = idle.job_id and job.hold = idle.seq and job.worker is null;
  end if;
  if _scope = 'queue' then
    perform pgqueue.wake(_name);
  else
    perform pgqueue.wake(told.queue) from unnest(pgqueue.keyed_queues('', 100, _scope = 'task')) as told (queue);
  end if;
end $$;
