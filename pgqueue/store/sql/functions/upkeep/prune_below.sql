-- One batch of prune(): of the _max rows right below an id of each table, those past their keeping time.
-- A job's attempts, what they said and how far they came stay as long as the job has not ended or is dead, and go with
-- the dead job; where it could go on goes with any end but that.
-- Walks the primary keys backwards, at most _max rows each; O(_max log n), whatever else is kept.
create or replace function pgqueue.prune_below(
  _result uuid, _dead_job uuid, _attempt uuid, _history interval, _dead interval, _max int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _count int;
  _sum int := 0;
  _home oid;
  _places tid[];
  _lowest uuid;
begin
  delete from pgqueue.results as result
  where result.job_id = any (array(
    select old.job_id
    from (
      select r.job_id, r.expires_at from pgqueue.results as r
      where r.job_id < _result order by r.job_id desc limit _max) as old
    where old.expires_at < now()));
  get diagnostics _count = row_count;
  _sum := _sum + _count;
  with gone as (
    delete from pgqueue.dead_jobs as dead
    where dead.id = any (array(
      select old.id
      from (
        select d.id, d.died_at, d.workflow_id from pgqueue.dead_jobs as d
        where d.id < _dead_job order by d.id desc limit _max / 10) as old
      where old.died_at < now() - _dead
        -- Those go as a whole (prune_workflows.sql).
        and (old.workflow_id is null
             or not exists (select from pgqueue.workflows as w where w.id = old.workflow_id offset 0))))
      and dead.died_at < now() - _dead
    returning dead.id
  ), with_it as (
    delete from pgqueue.attempts as attempt where attempt.job_id = any (array(select gone.id from gone))
  ), with_its_words as (
    delete from pgqueue.job_logs as said where said.job_id = any (array(select gone.id from gone))
  ), with_its_line as (
    delete from pgqueue.lineage as line where line.job_id = any (array(select gone.id from gone))
  ), with_its_progress as (
    delete from pgqueue.progress as said where said.job_id = any (array(select gone.id from gone))
  ), with_its_place as (
    delete from pgqueue.checkpoints as place where place.job_id = any (array(select gone.id from gone))
  ), with_its_steps as (
    delete from pgqueue.steps as step where step.job_id = any (array(select gone.id from gone))
  )
  select count(*) into _count from gone;
  _sum := _sum + _count;
  -- Of one partition a call, where there are some: a place in one says nothing of another.
  select a.tableoid into _home
  from pgqueue.attempts as a where a.job_id < _attempt order by a.job_id desc limit 1;
  select array_agg(old.place), (min(old.job_id::text collate "C"))::uuid into _places, _lowest
  from (
    select a.tableoid as home, a.ctid as place, a.job_id, a.finished_at, a.workflow_id from pgqueue.attempts as a
    where a.job_id < _attempt order by a.job_id desc limit _max) as old
  where old.home = _home and old.finished_at < now() - _history
    -- `offset`: as joins they could be turned round, and walk the tables.
    and not exists (select from pgqueue.jobs as job where job.id = old.job_id offset 0)
    and not exists (select from pgqueue.dead_jobs as dead where dead.id = old.job_id offset 0)
    and (old.workflow_id is null
         or not exists (select from pgqueue.workflows as w where w.id = old.workflow_id offset 0));
  delete from pgqueue.attempts as attempt
  where attempt.ctid = any (_places) and attempt.tableoid = _home
    and attempt.job_id >= _lowest and attempt.job_id < _attempt
    and attempt.finished_at < now() - _history;
  get diagnostics _count = row_count;
  _sum := _sum + _count;
  delete from pgqueue.job_logs as said
  where said.ctid = any (array(
    select old.ctid
    from (
      select l.ctid, l.job_id, l.at from pgqueue.job_logs as l
      where l.job_id < _attempt order by l.job_id desc limit _max) as old
    where old.at < now() - _history
      and not exists (select from pgqueue.jobs as job where job.id = old.job_id offset 0)
      and not exists (select from pgqueue.dead_jobs as dead where dead.id = old.job_id offset 0)))
    and said.at < now() - _history;
  get diagnostics _count = row_count;
  _sum := _sum + _count;
  -- Who brought a job is known as long as the job is; without a time of its own, by what is left of it.
  delete from pgqueue.lineage as line
  where line.job_id = any (array(
    select old.job_id
    from (
      select l.job_id from pgqueue.lineage as l where l.job_id < _attempt order by l.job_id desc limit _max) as old
    where not exists (select from pgqueue.jobs as job where job.id = old.job_id offset 0)
      and not exists (select from pgqueue.attempts as attempt where attempt.job_id = old.job_id offset 0)
      and not exists (select from pgqueue.dead_jobs as dead where dead.id = old.job_id offset 0)));
  get diagnostics _count = row_count;
  _sum := _sum + _count;
  delete from pgqueue.progress as said
  where said.job_id = any (array(
    select old.job_id
    from (
      select p.job_id, p.at from pgqueue.progress as p
      where p.job_id < _attempt order by p.job_id desc limit _max) as old
    where old.at < now() - _history
      and not exists (select from pgqueue.jobs as job where job.id = old.job_id offset 0)
      and not exists (select from pgqueue.dead_jobs as dead where dead.id = old.job_id offset 0)))
    and said.at < now() - _history;
  get diagnostics _count = row_count;
  _sum := _sum + _count;
  delete from pgqueue.checkpoints as place
  where place.job_id = any (array(
    select old.job_id
    from (
      select c.job_id from pgqueue.checkpoints as c
      where c.job_id < _result order by c.job_id desc limit _max) as old
    where not exists (select from pgqueue.jobs as job where job.id = old.job_id offset 0)
      and not exists (select from pgqueue.dead_jobs as dead where dead.id = old.job_id offset 0)));
  get diagnostics _count = row_count;
  return _sum + _count + pgqueue.prune_durable(_attempt, _max);
end $$;
