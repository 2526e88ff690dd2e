-- running -> succeeded for one job whose success brings something along, in one transaction: the jobs that it enqueued
-- (`jobs`) and its effects (`effects`), as an object of arrays of jobs (enqueue_new.sql), and what it adds to its own
-- workflow (`grafts`, see graft.sql), whose gates wait for that, too.
-- Fenced, as complete.sql: false if the attempt was late; it is recorded then, and nothing of it is written. True again
-- if this very token has succeeded before: then nothing is written twice. Walks jobs_pkey; O(log n + what it brings).
create or replace function pgqueue.succeed(_worker bigint, _id uuid, _claim int, _result text, _brings json)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _new json;
begin
  perform from pgqueue.jobs as job where job.id = _id and job.claim = _claim and job.worker = _worker for update;
  if not found then
    return pgqueue.record_late(_worker, array[_id], array[_claim], 'succeeded') = '{}';
  end if;
  for _new in select each.value from json_array_elements(coalesce(_brings -> 'grafts', '[]')) as each (value) loop
    perform pgqueue.graft(_id, _new);
  end loop;
  perform pgqueue.complete(_worker, _id, _claim, _result);
  for _new in select each.value from json_array_elements(coalesce(_brings -> 'jobs', '[]')) as each (value) loop
    perform pgqueue.bring(_id, _new, 'enqueue', coalesce((_brings ->> 'max_depth')::int, 32),
                          coalesce((_brings ->> 'max_children')::int, 10000));
  end loop;
  for _new in select each.value from json_array_elements(coalesce(_brings -> 'effects', '[]')) as each (value) loop
    perform pgqueue.effect(_id, _new, coalesce((_brings ->> 'max_depth')::int, 32),
                           coalesce((_brings ->> 'max_children')::int, 10000));
  end loop;
  return true;
end $$;
