-- Whatever is known of these jobs goes, and of those that follow their ends, which are told of them: what waits is
-- cancelled first; what runs is asked to end and stays (`running`). `removed` says how many rows of which table.
-- Of the causes of their failures the error's text goes, which may be theirs; numbers that were counted stay.
-- Walks primary keys, lineage_children; O(batch log n).
create or replace function pgqueue.erase_jobs(_ids uuid[], out removed jsonb, out running uuid[])
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _all uuid[];
  _id uuid;
  _cancelled int := 0;
  _dead int;
  _causes text[];
begin
  running := '{}';
  with recursive family (id) as (
    select unnest(_ids)
    union
    select line.job_id
    from family
    cross join lateral (
      select l.job_id from pgqueue.lineage as l where l.parent_id = family.id and left(l.how, 3) = 'on_' offset 0) as line
  )
  select array_agg(family.id order by family.id) into _all from family;
  for _id in
    select job.id from pgqueue.jobs as job where job.id = any (_all)
    union
    select w.id from pgqueue.waiting as w where w.id = any (_all)
    order by 1
  loop
    if pgqueue.cancel(_id) = 'running' then
      running := running || _id;
    else
      _cancelled := _cancelled + 1;
    end if;
  end loop;
  select gone.forgotten, gone.causes into _dead, _causes
  from pgqueue.forget_dead_jobs(array(select each.id from unnest(_all) as each (id) where each.id <> all (running))) as gone;
  -- What has moved meanwhile stays whole: who calls again finds it.
  _all := array(
    select each.id from unnest(_all) as each (id)
    where not exists (select from pgqueue.jobs as job where job.id = each.id offset 0)
      and not exists (select from pgqueue.dead_jobs as dead where dead.id = each.id offset 0));
  with attempts as (
    delete from pgqueue.attempts as a where a.job_id = any (_all) returning a.cause
  ), results as (
    delete from pgqueue.results as r where r.job_id = any (_all) returning 1
  ), job_logs as (
    delete from pgqueue.job_logs as l where l.job_id = any (_all) returning 1
  ), progress as (
    delete from pgqueue.progress as p where p.job_id = any (_all) returning 1
  ), checkpoints as (
    delete from pgqueue.checkpoints as c where c.job_id = any (_all) returning 1
  ), steps as (
    delete from pgqueue.steps as s where s.job_id = any (_all) returning 1
  ), signals as (
    delete from pgqueue.signals as s where s.scope = any (_all) returning 1
  ), waits as (
    delete from pgqueue.waits as w where w.job_id = any (_all) returning 1
  ), revisions as (
    delete from pgqueue.revisions as r where r.job_id = any (_all) returning 1
  ), lineage as (
    delete from pgqueue.lineage as l where l.job_id = any (_all) returning 1
  )
  select jsonb_build_object(
           'jobs', _cancelled, 'dead_jobs', _dead, 'attempts', (select count(*) from attempts),
           'results', (select count(*) from results), 'job_logs', (select count(*) from job_logs),
           'progress', (select count(*) from progress), 'checkpoints', (select count(*) from checkpoints),
           'steps', (select count(*) from steps), 'signals', (select count(*) from signals),
           'waits', (select count(*) from waits), 'revisions', (select count(*) from revisions),
           'lineage', (select count(*) from lineage)),
         coalesce(_causes, '{}') || array(select distinct attempts.cause from attempts where attempts.cause is not null)
  into removed, _causes;
  update pgqueue.causes as known set error = null
  where known.cause = any (array(
    select c.cause from pgqueue.causes as c where c.cause = any (_causes) and c.error is not null order by c.cause for update));
  get diagnostics _dead = row_count;
  removed := removed || jsonb_build_object('causes', _dead);
end $$;
