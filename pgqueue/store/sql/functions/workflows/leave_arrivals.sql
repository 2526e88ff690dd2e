-- Counts for gates, as advance() takes them, are left for whoever has these gates next. O(batch).
create or replace function pgqueue.leave_arrivals(_workflows uuid[], _gates int[], _counts int[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
begin
  insert into pgqueue.arrivals (workflow_id, gate, n, off)
  select t.workflow_id, abs(t.gate), sum(case when t.gate > 0 then t.n else 0 end),
         max(case when t.gate < 0 then t.n + 1 else 0 end)
  from unnest(_workflows, _gates, _counts) as t (workflow_id, gate, n)
  group by 1, 2;
end $$;
