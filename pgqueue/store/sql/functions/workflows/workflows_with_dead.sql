-- Workflows that have dead jobs, the newest first, of those below _before (null: all), at most _most; and how each
-- stands. A step of the index a workflow, however many of its jobs are dead. Walks dead_jobs_workflow, and what
-- workflow_state() walks; O(_most log n).
create or replace function pgqueue.workflows_with_dead(_before uuid, _most int)
returns table (workflow_id uuid, state text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  _at uuid := coalesce(_before, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
  for _ in 1 .. _most loop
    workflow_id := (
      select dead.workflow_id from pgqueue.dead_jobs as dead
      where dead.workflow_id < _at order by dead.workflow_id desc, dead.id desc limit 1);
    exit when workflow_id is null;
    _at := workflow_id;
    state := pgqueue.workflow_state(_at, (select w.asked from pgqueue.workflows as w where w.id = _at));
    return next;
  end loop;
end $$;
