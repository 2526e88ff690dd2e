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
  if _scope = 'queue' then
    perform pgqueue.wake(_name);
  else
    perform pgqueue.wake(told.queue) from unnest(pgqueue.keyed_queues('', 100, _scope = 'task')) as told (queue);
  end if;
end $$;
