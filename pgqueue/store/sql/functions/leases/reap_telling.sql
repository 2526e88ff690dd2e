-- running -> retrying | dead, for the jobs of workers whose lease has expired; their attempts are counted as lost.
-- Guarded twice: the expired worker row is locked, so that neither a heartbeat nor a claim can pass in between (a claim
-- under way holds it: keep_lease); each job only while that worker still has it.
-- First their jobs are looked for, at most _pages pages a call; the place reached and what was found stay in the rows
-- of the workers (`searched`, -1 at the end; `held`), for whoever comes next. A running job keeps its place until it is
-- settled. Then all of a worker's jobs are taken back at once. Only those that can have been running, the first
-- `concurrency` in the order of their claims, are suspected of the crash: those claimed ahead behind them are innocent.
-- Safe to run by everybody at once; waits for nobody: a job whose settlement is under way elsewhere is left to the
-- next reap, and its worker's row with it. Answers a row a worker: id, jobs taken back, false if the search goes on,
-- and, if asked (_telling), those of these jobs that are dead by it.
-- Looks after durable functions and workflows, too (tend_durable.sql, tend_workflows.sql).
-- Costs one look at `workers`, `cancellations` and these while all are well; reads at most _pages pages of `jobs`.
create or replace function pgqueue.reap_telling(_pages int, _telling boolean)
returns table (worker bigint, jobs int, finished boolean, dead uuid[])
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  _expired bigint[];
  _found bigint[];
  _from bigint;
  _end constant bigint := pg_relation_size('pgqueue.jobs') / current_setting('block_size')::int;
  _taken uuid[];
  _hosts text[];
  _pids int[];
  _jobs int[];
begin
  perform pgqueue.tidy_cancellations();
  perform pgqueue.tend_durable();
  perform pgqueue.tend_workflows();
  _expired := array(
    select w.id from pgqueue.workers as w
    where w.expires_at <= clock_timestamp()
    order by w.id
    for update skip locked);
  if _expired = '{}' then
    return;
  end if;

  -- Who has vanished last may be behind the others.
  select min(coalesce(w.searched, 0)) into _from
  from pgqueue.workers as w
  where w.id = any (_expired) and w.searched is distinct from -1;
  if _from is not null then
    with found as materialized (
      select * from pgqueue.held_by(_expired, _from, _from + _pages)
    )
    update pgqueue.workers as w
    set searched = case when _from + _pages >= _end then -1
                        else greatest(coalesce(w.searched, 0), _from + _pages) end,
        held = array(
          select unnest(w.held) union select found.id from found where found.worker = w.id)
    where w.id = any (_expired) and w.searched is distinct from -1;
  end if;

  _found := array(select w.id from pgqueue.workers as w where w.id = any (_expired) and w.searched = -1);
  with theirs as (
    select job.id, w.id as worker, job.target = any (w.at_most_once) as once,
           row_number() over (
             partition by w.id order by job.started_at, job.priority desc, job.run_at, job.id) <= w.concurrency
             as suspect
    from pgqueue.workers as w
    cross join lateral unnest(w.held) as known (id)
    -- `offset`: as a join it could be turned round, and walk the table.
    cross join lateral (
      select * from pgqueue.jobs as held where held.id = known.id and held.worker = w.id offset 0) as job
    where w.id = any (_found)
  )
  select pgqueue.lose(array_agg(theirs.id), array_agg(theirs.worker), array_agg(theirs.suspect),
                      array_agg(coalesce(theirs.once, false)))
  into _taken
  from theirs;

  return query
  select w.id, (select count(*)::int from unnest(w.held) as known (id) where known.id = any (_taken)), w.searched = -1,
         case when _telling then array(
           select known.id from unnest(w.held) as known (id)
           cross join lateral (select from pgqueue.dead_jobs as buried where buried.id = known.id offset 0) as one
           where known.id = any (_taken)) end
  from pgqueue.workers as w
  where w.id = any (_expired);
  with gone as (
    delete from pgqueue.workers as w
    where w.id = any (_found)
      and not exists (
        select from unnest(w.held) as known (id)
        cross join lateral (
          select from pgqueue.jobs as held where held.id = known.id and held.worker = w.id offset 0) as job)
    returning w.host, w.pid, cardinality(w.held) as jobs, w.asked
  )
  select array_agg(gone.host), array_agg(gone.pid), array_agg(gone.jobs) into _hosts, _pids, _jobs
  from gone
  -- Who was asked to end has not vanished.
  where gone.asked is null or gone.asked = 'quiet';
  perform pgqueue.note_lost(_hosts, _pids, _jobs);
end $$;
