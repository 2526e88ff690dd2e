-- Whether what this session enqueues is looked at: of all who may enqueue those are not who work on jobs, and could do
-- whatever is refused. The condition of the triggers jobs_checked and waiting_checked. O(1).
create or replace function pgqueue.is_bounded() returns boolean
language sql stable
return not has_table_privilege(pgqueue.acting_role(), 'pgqueue.jobs'::regclass, 'delete');
