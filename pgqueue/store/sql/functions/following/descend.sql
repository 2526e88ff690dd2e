-- A job that was enqueued in this transaction is noted as brought by another one, its parent, and how: one generation
-- deeper, and the next of its children. Raises program_limit_exceeded beyond _max_depth or _max_children.
-- Walks lineage_pkey and the end of lineage_children; O(log n).
create or replace function pgqueue.descend(_id uuid, _parent uuid, _how text, _max_depth int, _max_children int)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_sort = off
as $$
declare
  _root uuid;
  _depth int;
  _nth int;
begin
  select l.root_id, l.depth into _root, _depth from pgqueue.lineage as l where l.job_id = _parent;
  _depth := coalesce(_depth, 0) + 1;
  if _depth > least(_max_depth, 32767) then
    raise exception 'job % is % generations below the first, and % are allowed', _id, _depth, _max_depth
      using errcode = 'program_limit_exceeded', schema = 'pgqueue', table = 'lineage', constraint = 'lineage_depth',
            detail = _parent::text,
            hint = 'a job that enqueues itself again is better a schedule, or a retry; else raise max_depth of its task';
  end if;
  select l.nth into _nth
  from pgqueue.lineage as l where l.parent_id = _parent order by l.nth desc, l.job_id desc limit 1;
  _nth := coalesce(_nth, 0) + 1;
  if _nth > _max_children then
    raise exception 'job % has brought % jobs, and so many are allowed', _parent, _max_children
      using errcode = 'program_limit_exceeded', schema = 'pgqueue', table = 'lineage', constraint = 'lineage_children',
            detail = _parent::text, hint = 'enqueue_many() brings jobs that have no parent; or raise max_children of its task';
  end if;
  insert into pgqueue.lineage (job_id, parent_id, root_id, nth, depth, how)
  values (_id, _parent, coalesce(_root, _parent), _nth, _depth, _how)
  on conflict do nothing;
end $$;
