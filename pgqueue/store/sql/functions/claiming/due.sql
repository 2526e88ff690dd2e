-- The jobs that a claim of these slots could have now, in its order; nothing is taken, locked or read but what the
-- index knows of a row, and whether its host is avoided. For when a step is refused: each is then claimed by its name.
-- The slots and their bounds are those of step(); _passed_by are jobs that are known to be refused. No more than what
-- amounts to _most_bytes, as it is stored, but always one.
-- Walks jobs_claim once per slot; O(slots log n + _limit), and as much again for each that is passed by.
create or replace function pgqueue.due(
  _worker bigint, _queues text[], _priorities smallint[], _after timestamptz[], _after_ids uuid[], _lag interval,
  _limit int, _most_bytes bigint, _passed_by uuid[])
returns setof uuid
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _host text;
  _passed text[];
begin
  select me.host, me.passed || limited.targets into _host, _passed
  from pgqueue.workers as me
  cross join (select array_agg(l.name) as targets from pgqueue.limits as l where l.scope = 'task') as limited
  where me.id = _worker;
  return query
  select fitting.id
  from (
    select found.id, found.n, sum(found.bytes) over (order by found.n rows unbounded preceding) - found.bytes as before
    from (
      select due.id, due.bytes, row_number() over (order by slot.priority desc, due.run_at, due.id) as n
      from (
        select s.queue, s.priority, least(s.after_at, now()) - _lag as after_at,
               case when _lag = '0' and s.after_at <= now() then s.after_id
                    else '00000000-0000-0000-0000-000000000000' end as after_id
        from unnest(_queues, _priorities, _after, _after_ids) as s (queue, priority, after_at, after_id)
        where not exists (select from pgqueue.queues as q
                          where q.name = s.queue and (q.limited or pgqueue.is_paused(q.paused, q.paused_until)))) as slot
      cross join lateral (
        -- The size of a value is read without the value, which may be lost.
        select j.id, j.run_at, pg_column_size(j.args) + coalesce(pg_column_size(j.labels), 0) as bytes
        from pgqueue.jobs as j
        where j.worker is null and j.lane is null and j.queue = slot.queue and j.priority = slot.priority
          and j.run_at <= now() and (j.run_at, j.id) > (slot.after_at, slot.after_id)
          and (j.avoid_host is distinct from _host or j.run_at <= now() - interval '30 seconds')
          and (_passed is null or j.target <> all (_passed))
          and j.id <> all (_passed_by)
        order by j.run_at, j.id
        limit _limit) as due) as found
    where found.n <= _limit) as fitting
  where fitting.before < _most_bytes
  order by fitting.n;
end $$;
