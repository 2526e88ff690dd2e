-- Give a job that waits or is dead other arguments; the old ones are kept in `revisions`. Answers its state after the call:
-- `running` or its end if it cannot be edited any more, null if there is no such job.
-- Walks jobs_pkey, dead_jobs_pkey; O(log n).
create or replace function pgqueue.edit_args(_id uuid, _args json, _who text) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _old json;
begin
  perform pgqueue.note_act('jobs edit', null, array[_id]);
  begin
    select job.args into _old from pgqueue.jobs as job where job.id = _id and job.worker is null for update;
    if found then
      update pgqueue.jobs as job set args = _args where job.id = _id;
    else
      select dead.args into _old from pgqueue.dead_jobs as dead where dead.id = _id for update;
      if not found then
        raise 'let go of the lock' using errcode = 'PGQ01';
      end if;
      update pgqueue.dead_jobs as dead set args = _args where dead.id = _id;
    end if;
    insert into pgqueue.revisions (job_id, who, old_args) values (_id, _who, _old);
  exception when sqlstate 'PGQ01' then
    -- As in set_priority.sql.
    null;
  end;
  return (select job.state from pgqueue.job as job where job.id = _id);
end $$;
