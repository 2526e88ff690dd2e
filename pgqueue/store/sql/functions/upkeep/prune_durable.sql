-- What durable functions leave behind, of the _max rows right below an id of each table: what they have done stays as long
-- as their history, and so does what was sent to them; what they wait for goes with their end. A part of prune_below().
-- Walks the primary keys backwards; O(_max log n).
create or replace function pgqueue.prune_durable(_below uuid, _max int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _count int;
  _sum int;
begin
  delete from pgqueue.steps as step
  where step.ctid = any (array(
    select old.ctid
    from (
      select s.ctid, s.job_id from pgqueue.steps as s where s.job_id < _below order by s.job_id desc limit _max) as old
    where not pgqueue.is_remembered(old.job_id)));
  get diagnostics _sum = row_count;
  delete from pgqueue.signals as sent
  where sent.ctid = any (array(
    select old.ctid
    from (
      select s.ctid, s.scope, s.keeper from pgqueue.signals as s
      where s.scope < _below order by s.scope desc limit _max) as old
    where not pgqueue.is_remembered(old.scope)
      and (old.keeper is null or not pgqueue.is_remembered(old.keeper))));
  get diagnostics _count = row_count;
  _sum := _sum + _count;
  delete from pgqueue.waits as w
  where w.job_id = any (array(
    select old.job_id
    from (select each.job_id from pgqueue.waits as each
          where each.job_id < _below order by each.job_id desc limit _max) as old
    where not exists (select from pgqueue.jobs as job where job.id = old.job_id offset 0)));
  get diagnostics _count = row_count;
  return _sum + _count;
end $$;
