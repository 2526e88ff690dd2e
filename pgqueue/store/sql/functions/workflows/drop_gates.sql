-- The gates that were passed go, but those at which something still waits: these stay as they are, without links, and have
-- somebody come back to them, in a second if nothing could be moved. A part of pass_gates(). Walks gates_pkey,
-- waiting_pkey; O(batch log n).
create or replace function pgqueue.drop_gates(_workflows uuid[], _gates int[], _off int[], _moved boolean) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _passed tid[];
  _kept tid[];
begin
  with held as materialized (
    select h.workflow_id, h.gate, h.off, g.tid, exists (
             select from pgqueue.waiting as w
             where w.workflow_id = h.workflow_id and w.gate = h.gate offset 0) as left_over
    from unnest(_workflows, _gates, _off) as h (workflow_id, gate, off)
    cross join lateral (
      select g.ctid as tid from pgqueue.gates as g where g.workflow_id = h.workflow_id and g.gate = h.gate
      offset 0) as g
  ), again as (
    insert into pgqueue.arrivals (workflow_id, gate, n, off, again_at)
    select held.workflow_id, held.gate, 0, held.off, case when not _moved then clock_timestamp() + interval '1 second' end
    from held
    where held.left_over
  )
  select array_agg(held.tid) filter (where not held.left_over), array_agg(held.tid) filter (where held.left_over)
  into _passed, _kept
  from held;
  delete from pgqueue.gates as g where g.ctid = any (_passed);
  if _kept is not null then
    update pgqueue.gates as g set unmet = 0, links = null where g.ctid = any (_kept);
  end if;
end $$;
