-- Take up what was left in `arrivals`: of at most 100 gates, each workflow by itself, so that one that is refused holds up
-- no other; it is tried again in half a minute. Called by a step that settled members or found nothing to do, and by
-- upkeep. Answers how many jobs were moved, _most or a few more. Walks arrivals_gate; O(gates log n).
create or replace function pgqueue.fold(_due timestamptz, _most int default 1000) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _moved int := 0;
  _row record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    return 0;
  end if;
  for _row in
    with recursive behind (workflow_id, gate, n) as (
      (select a.workflow_id, a.gate, 1 from pgqueue.arrivals as a order by a.workflow_id, a.gate limit 1)
      union all
      select next.workflow_id, next.gate, behind.n + 1
      from behind
      cross join lateral (
        select a.workflow_id, a.gate from pgqueue.arrivals as a
        where (a.workflow_id, a.gate) > (behind.workflow_id, behind.gate)
        order by a.workflow_id, a.gate
        limit 1) as next
      where behind.n < 1000
    )
    select due.workflow_id, array_agg(due.gate) as gates, array_agg(0) as none,
           array_agg(due.workflow_id) as workflow_ids
    from (
      select behind.workflow_id, behind.gate from behind
      where exists (
        select from pgqueue.arrivals as a
        where a.workflow_id = behind.workflow_id and a.gate = behind.gate
          and (a.again_at is null or a.again_at <= clock_timestamp())
        offset 0)
      limit 100) as due
    group by due.workflow_id
    order by due.workflow_id
  loop
    exit when _moved >= _most;
    begin
      _moved := _moved + pgqueue.advance(_row.workflow_ids, _row.gates, _row.none, _due, _most - _moved);
    exception when others then
      if sqlstate ~ '^(40|53|55|57|58)' and sqlstate <> '53400' then
        raise;
      end if;
      raise warning 'workflow % cannot go on: % (%)', _row.workflow_id, sqlerrm, sqlstate;
      update pgqueue.arrivals as a set again_at = clock_timestamp() + interval '30 seconds'
      where a.ctid = any (array(
        select b.ctid from pgqueue.arrivals as b
        where b.workflow_id = _row.workflow_id and b.gate = any (_row.gates)
        limit 1000 for update skip locked));
    end;
    -- Of gates that are gone.
    delete from pgqueue.arrivals as a
    where a.ctid = any (array(
      select b.ctid from pgqueue.arrivals as b
      where b.workflow_id = _row.workflow_id and b.gate = any (_row.gates)
        and not exists (
          select from pgqueue.gates as g where g.workflow_id = b.workflow_id and g.gate = b.gate offset 0)
      limit 1000 for update skip locked));
  end loop;
  return _moved;
end $$;
