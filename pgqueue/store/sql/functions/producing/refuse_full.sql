-- A part of keep_role_limits: refuse jobs for a queue that holds as many as it may. One that has a size of its own is ruled
-- by that (keep_size.sql), which counts seldom; here is counted in each statement, where the table is large enough at all
-- for any queue to hold so many. Walks jobs_claim, jobs_lane, jobs_coming; O(1), or O(what the queues hold, max_size at most).
create or replace function pgqueue.refuse_full(_rule pgqueue.role_limits, _queues text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _full text;
begin
  -- A page has no more than a hundred jobs: their fixed columns alone take 80 bytes of its 8192.
  if pg_relation_size('pgqueue.jobs') / 8192 * 100 <= _rule.max_size then
    return;
  end if;
  select come.queue into _full
  from unnest(_queues) as come (queue)
  where not exists (select from pgqueue.queues as q where q.name = come.queue and q.max_size is not null)
    and pgqueue.held_in(come.queue, _rule.max_size + 1::bigint) > _rule.max_size
  limit 1;
  if found then
    raise exception 'the queue % is full: it holds % jobs', quote_literal(_full), _rule.max_size
      using errcode = 'configuration_limit_exceeded', schema = 'pgqueue', table = 'role_limits', constraint = 'queues_full',
            detail = _full,
            hint = format('enqueue it again when workers have caught up, raise max_size of %s, or give the queue its own',
                          case when _rule.role = '*' then 'all roles' else 'the role ' || quote_literal(_rule.role) end);
  end if;
end $$;
