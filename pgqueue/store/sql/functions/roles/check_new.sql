-- Refuse what a producer may not enqueue, whichever way it comes: by a plain insert, by COPY, by a function, as a change of
-- a job that waits, as a member of a workflow. Called by the triggers jobs_checked and waiting_checked, which are there
-- once roles were made, for roles alone that may do no more than enqueue (is_bounded.sql). What follows a job is looked at
-- with it. With the rights of its owner: a producer may not read the rules. O(follow-ups).
create or replace function pgqueue.check_new() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _fault constant text[] := case
    when new.follow_ups is null then pgqueue.fault_in_options(
      new.target, new.args, new.queue, null, null, null, null, null, null, null, new.limit_key, new.cost, new.labels)
    else pgqueue.fault_in_new(
      new.target, new.queue, new.args, new.limit_key, new.cost, new.labels, new.follow_ups) end;
begin
  if _fault is not null then
    raise exception '%', _fault[1]
      using errcode = 'check_violation', schema = 'pgqueue', table = tg_table_name, constraint = tg_name,
            hint = _fault[2];
  end if;
  return null;
end $$;
