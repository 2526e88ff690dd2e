-- Workflows of which jobs wait and none could let them go on: none of theirs is live or dead, no count is under way, and
-- nothing may still be added. So it is after rows were deleted by hand; mend_workflow() counts anew.
-- Looks at the first _most workflows of which jobs wait, a step of the index each. Walks waiting_pkey, workflows_pkey,
-- jobs_workflow, dead_jobs_workflow, arrivals_gate, nodes_pkey; O(_most log n).
create or replace function pgqueue.workflows_stuck(_most int) returns setof uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
declare
  _at uuid := '00000000-0000-0000-0000-000000000000';
begin
  for _ in 1 .. _most loop
    _at := (
      select w.workflow_id from pgqueue.waiting as w
      where w.workflow_id > _at order by w.workflow_id, w.gate, w.id limit 1);
    exit when _at is null;
    if not exists (select from pgqueue.workflows as w where w.id = _at and w.asked = 'cancel')
      and not exists (select from pgqueue.jobs as job where job.workflow_id = _at)
      and not exists (select from pgqueue.dead_jobs as dead where dead.workflow_id = _at)
      and not exists (select from pgqueue.arrivals as a where a.workflow_id = _at)
      and not exists (select from pgqueue.nodes as n where n.workflow_id = _at and n.open)
    then
      return next _at;
    end if;
  end loop;
end $$;
