-- Drop history past its keeping time; answers how many rows went.
-- Ids are ordered by time, so what has just come of age lies right below the id of that moment. What was kept longer
-- (jobs that ended long after they were made) and ids that are not of version 7 are met at places taken by chance.
-- What no worker can run any more is dropped, too, unique keys whose window has passed, and what was done once, past
-- its own keeping time; workflows, each as a whole; what was done by hand, and
-- bulk actions that are over, stay as long as dead jobs. Where a job could go on goes when that has
-- ended well. One at a time: whoever
-- comes second answers 0. Looks at no more than a few times _max rows; O(_max log n).
-- Partitions are dropped as a whole (tend_history.sql): what is three days past its keeping time and still there had to be
-- kept longer, or its partition could not be dropped.
create or replace function pgqueue.prune(_history interval, _dead interval, _max int default 5000) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
-- Over partitions plans are large: each call would compile them for longer than they run.
set jit = off
as $$
declare
  _is_partitioned constant boolean := pgqueue.is_partitioned('attempts');
  _old constant timestamptz := now() - _history - case when _is_partitioned then interval '3 days' else '0' end;
  _then constant uuid := pgqueue.uuid7_floor(_old - random() * greatest(_history, _dead));
  _anywhere constant uuid := gen_random_uuid();
  _windows int;
  _ticks int;
  _effects int;
  _below int;
begin
  begin
    -- Nobody can hold this but who may delete there, and vacuum.
    lock table pgqueue.results in share update exclusive mode nowait;
  exception when lock_not_available then
    return 0;
  end;
  delete from pgqueue.targets as known
  where known.declared_at < now() - interval '1 day'
    and not exists (select from pgqueue.workers as w where w.targets = known.hash);
  -- For workers of the last release, which know no pause that ends by itself.
  update pgqueue.queues as q set paused = false, paused_until = null where q.paused and q.paused_until <= now();
  -- Whoever asked has looked, or has gone.
  delete from pgqueue.worker_dumps as asked where asked.asked_at < now() - interval '1 hour';
  delete from pgqueue.unique_windows as taken
  where taken.unique_key = any (array(
    select passed.unique_key from pgqueue.unique_windows as passed
    where passed.until < now()
    order by passed.until limit _max
    -- A producer may be about to begin the next one.
    for update skip locked));
  get diagnostics _windows = row_count;
  delete from pgqueue.ticks as tick
  where tick.ctid = any (array(
    select old.ctid from pgqueue.ticks as old
    where old.decided_at < now() - _history
    order by old.decided_at
    limit _max));
  get diagnostics _ticks = row_count;
  delete from pgqueue.audit as act
  where act.id = any (array(
    select old.id from (select a.id, a.at from pgqueue.audit as a order by a.id limit _max) as old
    -- Whoever does not own it deletes nothing younger (keep_act.sql).
    where old.at < now() - greatest(_dead, interval '30 days')));
  delete from pgqueue.operations as o
  where o.id = any (array(
    select old.id
    from (select p.id, p.state, p.changed_at from pgqueue.operations as p order by p.id limit _max) as old
    where old.state <> 'running' and old.changed_at < now() - _dead));
  delete from pgqueue.revisions as revised
  where revised.ctid = any (array(
    select old.ctid
    from (select r.ctid, r.at from pgqueue.revisions as r order by r.job_id limit _max) as old
    where old.at < now() - _dead));
  -- The newest, for jobs of a minute; prune_below() meets the others.
  delete from pgqueue.checkpoints as place
  where place.job_id = any (array(
    select old.job_id
    from (select c.job_id from pgqueue.checkpoints as c order by c.job_id desc limit _max) as old
    where not exists (select from pgqueue.jobs as job where job.id = old.job_id offset 0)
      and not exists (select from pgqueue.dead_jobs as dead where dead.id = old.job_id offset 0)));
  -- Of jobs that somebody has deleted, or moved, by hand.
  delete from pgqueue.manual_jobs as manual
  where manual.job_id = any (array(
    select old.job_id
    from (
      select m.job_id, m.claim from pgqueue.manual_jobs as m
      where m.job_id < _then order by m.job_id desc limit _max / 10) as old
    where not exists (
      select from pgqueue.jobs as job
      where job.id = old.job_id and job.claim = old.claim and job.worker = -1 offset 0)));
  _effects := pgqueue.forget_effects(_max) + pgqueue.prune_workflows(_history, _dead, _max);
  _below := pgqueue.prune_below(
      pgqueue.uuid7_floor(now() - interval '1 day'), pgqueue.uuid7_floor(now() - _dead),
      pgqueue.uuid7_floor(_old), _history, _dead, _max)
    + pgqueue.prune_below(_then, _then, _then, _history, _dead, _max)
    + pgqueue.prune_below(_anywhere, _anywhere, _anywhere, _history, _dead, _max);
  if _is_partitioned then
    begin
      lock table only pgqueue.attempts in share update exclusive mode nowait;
      lock table only pgqueue.dead_jobs in share update exclusive mode nowait;
      -- Last: the locks that it takes are held to the end.
      perform pgqueue.tend_history(_history, _dead);
    exception when lock_not_available then
      null;
    end;
  end if;
  return _windows + _ticks + _effects + _below;
end $$;
