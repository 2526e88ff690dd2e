-- Give a job that waits another priority; answers its state after the call, null if there is no such job.
-- Walks jobs_pkey; O(log n).
create or replace function pgqueue.set_priority(_id uuid, _priority smallint) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _queue text;
begin
  perform pgqueue.note_act('jobs priority ' || _priority, null, array[_id]);
  if _priority not between 0 and 9 then
    raise exception 'priority must be from 0 to 9, got %', _priority using errcode = 'invalid_parameter_value';
  end if;
  begin
    update pgqueue.jobs as job set priority = _priority where job.id = _id and job.worker is null
    returning job.queue into _queue;
    if not found then
      raise 'let go of the lock' using errcode = 'PGQ01';
    end if;
    perform pgqueue.wake(_queue);
  exception when sqlstate 'PGQ01' then
    -- Of a job that was claimed meanwhile: else its worker could not settle before the end of the transaction.
    null;
  end;
  return (select job.state from pgqueue.job as job where job.id = _id);
end $$;
