-- How many live jobs a queue holds, counted up to a number. Walks jobs_claim, jobs_lane, jobs_coming; O(number).
create or replace function pgqueue.held_in(_queue text, _most bigint) returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  return (
    select count(*)
    from (
      (select from pgqueue.jobs as job where job.queue = _queue and job.lane is null limit _most)
      union all
      (select from pgqueue.jobs as job where job.queue = _queue and job.lined limit _most)
      union all
      (select from pgqueue.jobs as job where job.queue = _queue and job.lane is not null and job.lined is null limit _most)
      limit _most) as held);
end $$;
