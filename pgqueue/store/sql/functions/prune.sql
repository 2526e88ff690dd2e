-- Drop history past its keeping time, at most _max rows a table and call; answers how many rows went.
-- A job's attempts stay as long as the job has not ended. Walks the primary keys, which are ordered by time.
create or replace function pgqueue.prune(_history interval, _dead interval, _max int default 5000) returns int
language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _count int;
  _sum int := 0;
begin
  delete from pgqueue.results as result
  where result.job_id = any (array(
    select r.job_id from pgqueue.results as r
    where r.job_id < pgqueue.uuid7_floor(now()) and r.expires_at < now()
    order by r.job_id limit _max for update skip locked));
  get diagnostics _count = row_count;
  _sum := _sum + _count;
  delete from pgqueue.dead_jobs as dead
  where dead.id = any (array(
    select d.id from pgqueue.dead_jobs as d
    where d.id < pgqueue.uuid7_floor(now() - _dead) and d.died_at < now() - _dead
    order by d.id limit _max for update skip locked));
  get diagnostics _count = row_count;
  _sum := _sum + _count;
  delete from pgqueue.attempts as attempt
  where attempt.ctid = any (array(
    select a.ctid from pgqueue.attempts as a
    where a.job_id < pgqueue.uuid7_floor(now() - _history) and a.finished_at < now() - _history
      and not exists (select from pgqueue.jobs as job where job.id = a.job_id)
      and not exists (select from pgqueue.dead_jobs as dead where dead.id = a.job_id)
    order by a.job_id limit _max for update skip locked));
  get diagnostics _count = row_count;
  return _sum + _count;
end $$;
