-- Which of these waiting jobs, locked by the caller, no claim can have because the database refuses their rows: a
-- trigger of somebody's raises, a value is lost. Each is tried by itself, and that is undone; told with a warning.
-- For when a claim of many was refused. Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.refused_among(_ids uuid[], _worker bigint) returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _id uuid;
  _refused uuid[] := '{}';
begin
  foreach _id in array _ids loop
    begin
      update pgqueue.jobs as job
      set worker = _worker, claim = least(job.claim, 2147483646) + 1, started_at = now()
      where job.id = _id;
      perform length(job.args::text), length(job.labels::text) from pgqueue.jobs as job where job.id = _id;
      raise 'undo this' using errcode = 'PGQ01';
    exception
      when sqlstate 'PGQ01' then null;
      when others then
        -- What passes, or is about the whole server, is not the job's fault.
        if sqlstate ~ '^(40|53|55|57|58)' then
          raise;
        end if;
        _refused := _refused || _id;
        raise warning 'job % cannot be claimed: % (%)', _id, sqlerrm, sqlstate;
    end;
  end loop;
  return _refused;
end $$;
