-- A batch of an operation, in order of id: each job is judged on its own, and one that fails fails no other.
-- Answers for each `done`, `skipped` or `failed`. Walks jobs_pkey, dead_jobs_pkey; O(batch log n).
create or replace function pgqueue.operate(
  _ids uuid[], _kind text, _states text[], _priority smallint, _reason text)
returns table (job_id uuid, became text)
language plpgsql
set search_path = pg_catalog, pg_temp
-- Whatever the search for the jobs was planned with.
set plan_cache_mode = auto
as $$
#variable_conflict use_column
declare
  _id uuid;
begin
  perform pgqueue.note_act('jobs ' || _kind, null, _ids);
  for _id in select wanted.id from unnest(_ids) as wanted (id) order by wanted.id loop
    job_id := _id;
    begin
      became := pgqueue.operate_on(_id, _kind, _states, _priority, _reason);
    exception when others then
      -- What passes, or is about the whole server, is not the job's fault.
      if sqlstate ~ '^(40|53|55|57|58)' then
        raise;
      end if;
      became := 'failed';
      raise warning 'job %: % (%)', _id, sqlerrm, sqlstate;
    end;
    return next;
  end loop;
end $$;
