-- Count ends towards gates: _counts[i] towards _gates[i]; fewer than none raise it. A negative gate is closed instead:
-- because it is pointless now (count 0), or because something failed (1). A gate that is complete opens.
-- What waits at an open gate goes to `jobs`, due at _due, and the gate's links count in the next round. What waits at a
-- closed one is cancelled: where something failed its failure links count, and what only its success would have opened is
-- closed, as is what the gate's own links lead to; where it was pointless only those links count that any end does.
-- In a workflow that is asked to be cancelled only callbacks are released, the rest is cancelled.
-- Waits for nobody: for a gate in somebody else's hands the count is left in `arrivals`, and is taken along by whoever
-- gets the gate next; so is what is left once _most jobs have been moved. Answers how many were.
-- For READ COMMITTED alone. In no plan can a join turn round (docs/design/plans-that-cannot-turn.md).
-- Walks gates_pkey, waiting_pkey, arrivals_gate; O(batch log n).
create or replace function pgqueue.advance(
  _workflows uuid[], _gates int[], _counts int[], _due timestamptz, _most int default 1000)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _moved int := 0;
  _n int[];
  _off int[];
  _tids tid[];
  _unmet int[];
  _missed boolean;
  _move_workflows uuid[];
  _move_gates int[];
  _move_off int[];
  _by int;
begin
  while cardinality(_workflows) > 0 loop
    if _moved >= _most then
      perform pgqueue.leave_arrivals(_workflows, _gates, _counts);
      exit;
    end if;
    select array_agg(t.workflow_id), array_agg(t.gate), array_agg(t.n), array_agg(t.off), array_agg(g.ctid),
           array_agg(g.unmet), bool_or(g.ctid is null)
    into _workflows, _gates, _n, _off, _tids, _unmet, _missed
    from (
      select t.workflow_id, abs(t.gate) as gate, sum(case when t.gate > 0 then t.n else 0 end)::int as n,
             max(case when t.gate < 0 then t.n + 1 else 0 end) as off
      from unnest(_workflows, _gates, _counts) as t (workflow_id, gate, n)
      group by 1, 2
      order by 1, 2) as t
    left join lateral (
      select g.ctid, g.unmet from pgqueue.gates as g
      where g.workflow_id = t.workflow_id and g.gate = t.gate
      limit 1
      for no key update skip locked) as g on true;
    if _missed then
      -- In somebody else's hands when the statement above looked; by now it may be free, and counts all the same.
      insert into pgqueue.arrivals (workflow_id, gate, n, off)
      select m.workflow_id, m.gate, m.n, m.off
      from unnest(_workflows, _gates, _n, _off, _tids) as m (workflow_id, gate, n, off, tid)
      where m.tid is null and (m.n <> 0 or m.off > 0)
        and exists (
          select from pgqueue.gates as g where g.workflow_id = m.workflow_id and g.gate = m.gate offset 0);
    end if;
    if exists (select from pgqueue.arrivals) then
      -- Before a gate may open: what was added to it may have been left there, too.
      with taken as (
        delete from pgqueue.arrivals as a
        where a.ctid = any (array(
          select b.ctid
          from unnest(_workflows, _gates, _tids) as held (workflow_id, gate, tid)
          cross join lateral (
            select b.ctid from pgqueue.arrivals as b
            where b.workflow_id = held.workflow_id and b.gate = held.gate
            offset 0) as b
          where held.tid is not null))
        returning a.workflow_id, a.gate, a.n, a.off
      )
      -- In the same order: no gate is new.
      select array_agg(t.n order by t.workflow_id, t.gate), array_agg(t.off order by t.workflow_id, t.gate)
      into _n, _off
      from (
        select s.workflow_id, s.gate, sum(s.n)::int as n, max(s.off) as off
        from (
          select held.workflow_id, held.gate, held.n, held.off
          from unnest(_workflows, _gates, _n, _off) as held (workflow_id, gate, n, off)
          union all
          select taken.workflow_id, taken.gate, taken.n, taken.off from taken) as s
        group by 1, 2) as t;
    end if;

    for _by, _tids in
      select held.n, array_agg(held.tid)
      from unnest(_n, _off, _tids, _unmet) as held (n, off, tid, unmet)
      where held.unmet > held.n and held.n <> 0 and held.off = 0
      group by held.n
    loop
      update pgqueue.gates as g
      set unmet = g.unmet - _by, total = g.total + greatest(-_by, 0)
      where g.ctid = any (_tids);
    end loop;
    select array_agg(held.workflow_id), array_agg(held.gate), array_agg(held.off)
    into _move_workflows, _move_gates, _move_off
    from unnest(_workflows, _gates, _n, _off, _unmet) as held (workflow_id, gate, n, off, unmet)
    where held.unmet is not null and (held.off > 0 or held.unmet <= held.n);
    exit when _move_workflows is null;
    select moved.jobs, moved.workflow_ids, moved.gates, moved.counts
    into _by, _workflows, _gates, _counts
    from pgqueue.pass_gates(_move_workflows, _move_gates, _move_off, _due, _most - _moved) as moved;
    _moved := _moved + _by;
  end loop;
  return _moved;
end $$;
