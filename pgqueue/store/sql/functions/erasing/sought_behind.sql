-- Of the _limit rows of a table behind a job's id: the jobs that are about whom is sought, and the last id looked at; null
-- when there are no more. Of `results`, `revisions` and `signals` what they hold is looked at as arguments are.
-- Once, as a rehearsal counts: in these three no job that is found where it stands, in `attempts` none that lives or is
-- dead. Walks the primary keys, waiting_id; O(_limit log n).
create or replace function pgqueue.sought_behind(
  _place text, _after uuid, _limit int, _sought jsonb, _once boolean, out ids uuid[], out last uuid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _n int;
begin
  case _place
    when 'jobs' then
      select count(*), array_agg(p.id) filter (where pgqueue.is_sought(_sought, p.args, p.labels, p.follow_ups)),
             (array_agg(p.id order by p.id desc))[1]
      into _n, ids, last
      from (select j.id, j.args, j.labels, j.follow_ups from pgqueue.jobs as j
            where j.id > _after order by j.id limit _limit) as p;
    when 'waiting' then
      select count(*), array_agg(p.id) filter (where pgqueue.is_sought(_sought, p.args, p.labels, p.follow_ups)),
             (array_agg(p.id order by p.id desc))[1]
      into _n, ids, last
      from (select w.id, w.args, w.labels, w.follow_ups from pgqueue.waiting as w
            where w.id > _after order by w.id limit _limit) as p;
    when 'dead_jobs' then
      select count(*), array_agg(p.id) filter (where pgqueue.is_sought(_sought, p.args, p.labels, p.follow_ups)),
             (array_agg(p.id order by p.id desc))[1]
      into _n, ids, last
      from (select d.id, d.args, d.labels, d.follow_ups from pgqueue.dead_jobs as d
            where d.id > _after order by d.id limit _limit) as p;
    when 'attempts' then
      select count(*), array_agg(distinct p.job_id) filter (where pgqueue.is_sought(_sought, p.args, p.labels, null)),
             (array_agg(p.job_id order by p.job_id desc))[1]
      into _n, ids, last
      from (select a.job_id, a.args, a.labels from pgqueue.attempts as a
            where a.job_id > _after order by a.job_id limit _limit) as p;
    when 'results' then
      select count(*), array_agg(p.job_id) filter (where pgqueue.is_sought(_sought, p.result, null, null)),
             (array_agg(p.job_id order by p.job_id desc))[1]
      into _n, ids, last
      from (select r.job_id, r.result from pgqueue.results as r
            where r.job_id > _after order by r.job_id limit _limit) as p;
    when 'revisions' then
      select count(*), array_agg(distinct p.job_id) filter (where pgqueue.is_sought(_sought, p.old_args, null, null)),
             (array_agg(p.job_id order by p.job_id desc))[1]
      into _n, ids, last
      from (select r.job_id, r.old_args from pgqueue.revisions as r
            where r.job_id > _after order by r.job_id limit _limit) as p;
    when 'signals' then
      select count(*), array_agg(distinct p.scope) filter (where pgqueue.is_sought(_sought, p.payload, null, null)),
             (array_agg(p.scope order by p.scope desc))[1]
      into _n, ids, last
      from (select s.scope, s.payload from pgqueue.signals as s
            where s.scope > _after order by s.scope limit _limit) as p;
  end case;
  -- The last one may have more rows than these.
  if _n = _limit and (last = any (ids)) is not true and (
    case _place
      when 'attempts' then pgqueue.job_is_sought(_sought, last)
      when 'revisions' then exists (
        select from pgqueue.revisions as r where r.job_id = last and pgqueue.is_sought(_sought, r.old_args, null, null))
      when 'signals' then exists (
        select from pgqueue.signals as s where s.scope = last and pgqueue.is_sought(_sought, s.payload, null, null))
      else false end)
  then
    ids := ids || last;
  end if;
  if _n < _limit then
    last := null;
  end if;
  if _once then
    ids := array(
      select each.id from unnest(ids) as each (id)
      where case _place
        when 'attempts' then not exists (select from pgqueue.jobs as job where job.id = each.id offset 0)
          and not exists (select from pgqueue.dead_jobs as dead where dead.id = each.id offset 0)
        when 'results' then not pgqueue.job_is_sought(_sought, each.id)
        when 'revisions' then not pgqueue.job_is_sought(_sought, each.id)
        when 'signals' then not pgqueue.job_is_sought(_sought, each.id)
        else true end);
  end if;
  ids := coalesce(ids, '{}');
end $$;
