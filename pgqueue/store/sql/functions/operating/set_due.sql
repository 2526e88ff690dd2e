-- Let a job that waits be due at another moment; answers its state after the call, null if there is no such job.
-- Walks jobs_pkey; O(log n).
create or replace function pgqueue.set_due(_id uuid, _run_at timestamptz) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _queue text;
begin
  perform pgqueue.note_act('jobs due at ' || _run_at, null, array[_id]);
  begin
    update pgqueue.jobs as job
    set run_at = least(greatest(_run_at, '1900-01-02 00:00+00'), '9998-12-31 00:00+00'), avoid_host = null
    where job.id = _id and job.worker is null
    returning job.queue into _queue;
    if not found then
      raise 'let go of the lock' using errcode = 'PGQ01';
    end if;
    perform pgqueue.wake(_queue);
  exception when sqlstate 'PGQ01' then
    -- As in set_priority.sql.
    null;
  end;
  return (select job.state from pgqueue.job as job where job.id = _id);
end $$;
