-- cancel() for some jobs that wait and were to be cancelled while they ran; one that cannot be is left as it is, with
-- a warning, and keeps nothing else from being done. Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.cancel_unwanted(_ids uuid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _id uuid;
begin
  foreach _id in array _ids loop
    begin
      perform pgqueue.cancel(_id);
    exception when others then
      -- What passes, or is about the whole server, is not the job's fault.
      if sqlstate ~ '^(40|53|55|57|58)' then
        raise;
      end if;
      raise warning 'job % cannot be cancelled: % (%)', _id, sqlerrm, sqlstate;
    end;
  end loop;
end $$;
