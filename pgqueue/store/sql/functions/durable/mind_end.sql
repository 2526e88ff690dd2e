-- The end of a job that runs is to be told to end_durable(): it has children, or what is to be undone. Once a job.
-- Walks jobs_pkey; O(log n).
create or replace function pgqueue.mind_end(_id uuid, _claim int) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  update pgqueue.jobs as job
  set follow_ups = (
    select json_agg(each.value)
    from (
      select before.value from json_array_elements(coalesce(job.follow_ups, '[]')) as before (value)
      union all
      select json_build_object('on', 'end', 'durable', json_build_object('queue', job.queue, 'priority', job.priority))
    ) as each)
  where job.id = _id and job.claim = _claim and not exists (
    select from json_array_elements(coalesce(job.follow_ups, '[]')) as before (value)
    where before.value -> 'durable' is not null);
end $$;
