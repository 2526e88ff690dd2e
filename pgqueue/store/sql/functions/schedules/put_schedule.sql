-- A schedule as it is said, in place of the one of that name; true if it is new, null (and nothing changed) if the one
-- that is there belongs to another source: to people (null) or to the code of an app.
-- Under the same rule its ticks go on; a new rule begins now. What people have paused stays paused; what code has paused,
-- because it was not declared, goes on. One of people that its queue would refuse at each tick is refused at once; one of
-- code is not, as it would keep the rest from being declared, and says so when it is due.
-- Walks schedules_pkey, queues_pkey; O(log n).
create or replace function pgqueue.put_schedule(_said json, _source text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _new constant pgqueue.schedules := json_populate_record(null::pgqueue.schedules, _said);
  _is_new constant boolean := not exists (select from pgqueue.schedules as s where s.name = _new.name);
begin
  if _source is null then
    perform pgqueue.refuse_target(coalesce(_new.queue, pgqueue.route(_new.target)), _new.target);
  end if;
  insert into pgqueue.schedules as s (
    name, cron, every, timezone, jitter, catch_up, cap, grace, overlap, target, args, queue, priority, ttl, timeout,
    max_attempts, unique_key, unique_until, unique_for, on_conflict, max_wait, limit_key, cost, store_result, labels,
    signature, source)
  values (
    _new.name, _new.cron, _new.every, coalesce(_new.timezone, 'UTC'), coalesce(_new.jitter, 0),
    coalesce(_new.catch_up, 'last'), coalesce(_new.cap, 100::smallint), coalesce(_new.grace, 60),
    coalesce(_new.overlap, 'allow'), _new.target, coalesce(_new.args, '{}'), _new.queue, _new.priority, _new.ttl,
    _new.timeout, _new.max_attempts, _new.unique_key, _new.unique_until, _new.unique_for, _new.on_conflict,
    _new.max_wait, _new.limit_key, _new.cost, _new.store_result, _new.labels,
    _new.signature, _source)
  on conflict (name) do update
  set cron = excluded.cron, every = excluded.every, timezone = excluded.timezone, jitter = excluded.jitter,
      catch_up = excluded.catch_up, cap = excluded.cap, grace = excluded.grace, overlap = excluded.overlap,
      target = excluded.target, args = excluded.args, queue = excluded.queue, priority = excluded.priority,
      ttl = excluded.ttl, timeout = excluded.timeout, max_attempts = excluded.max_attempts,
      unique_key = excluded.unique_key, unique_until = excluded.unique_until, unique_for = excluded.unique_for,
      on_conflict = excluded.on_conflict, max_wait = excluded.max_wait, limit_key = excluded.limit_key,
      cost = excluded.cost, store_result = excluded.store_result, labels = excluded.labels,
      signature = excluded.signature,
      paused_by = nullif(s.paused_by, 'code'),
      (last_at, next_at, tzdata, fault) = (
        select kept.last_at, kept.next_at, kept.tzdata, kept.fault
        from (values
          (true, s.last_at, s.next_at, s.tzdata, s.fault),
          (false, excluded.last_at, excluded.next_at, null, null)) as kept (same, last_at, next_at, tzdata, fault)
        where kept.same = ((s.cron, s.every, s.timezone)
                           is not distinct from (excluded.cron, excluded.every, excluded.timezone)
                           and not coalesce(s.paused_by = 'code' and excluded.catch_up = 'skip', false)))
  where s.source is not distinct from _source;
  return case when found then _is_new end;
end $$;
