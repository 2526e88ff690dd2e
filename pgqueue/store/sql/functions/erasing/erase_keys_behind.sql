-- Of the _limit rows of a table that has no job's id for its key, behind the key _after (JSON): those of whom is sought go.
-- The ledger's by their job, or by the value that they keep, but of no job that runs; windows of unique keys by their
-- job; schedules by what they enqueue, but those that code declares: they would come back.
-- Walks effects_pkey, unique_windows_pkey, schedules_pkey; O(_limit log n).
create or replace function pgqueue.erase_keys_behind(
  _place text, _after json, _limit int, _sought jsonb, out removed jsonb, out last json)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _n int;
  _gone int;
begin
  case _place
    when 'effects' then
      with looked as materialized (
        select e.scope, e.key, e.job_id, e.value from pgqueue.effects as e
        where (e.scope, e.key) > (coalesce(_after ->> 0, ''), coalesce(_after ->> 1, ''))
        order by e.scope, e.key limit _limit
      ), gone as (
        delete from pgqueue.effects as e
        using looked
        where e.scope = looked.scope and e.key = looked.key
          and (pgqueue.is_sought(_sought, looked.value, null, null) or pgqueue.job_is_sought(_sought, looked.job_id))
          and not exists (
            select from pgqueue.jobs as job where job.id = looked.job_id and job.worker >= 0 offset 0)
        returning 1
      )
      select (select count(*) from looked), (select count(*) from gone),
             (select json_build_array(l.scope, l.key) from looked as l order by l.scope desc, l.key desc limit 1)
      into _n, _gone, last;
    when 'unique_windows' then
      with looked as materialized (
        select u.unique_key, u.job_id from pgqueue.unique_windows as u
        where u.unique_key > coalesce(_after ->> 0, '') order by u.unique_key limit _limit
      ), gone as (
        delete from pgqueue.unique_windows as u
        using looked
        where u.unique_key = looked.unique_key and pgqueue.job_is_sought(_sought, looked.job_id)
        returning 1
      )
      select (select count(*) from looked), (select count(*) from gone),
             (select json_build_array(l.unique_key) from looked as l order by l.unique_key desc limit 1)
      into _n, _gone, last;
    when 'schedules' then
      with looked as materialized (
        select s.name from pgqueue.schedules as s
        where s.name > coalesce(_after ->> 0, '') order by s.name limit _limit
      ), gone as (
        delete from pgqueue.schedules as s
        using looked
        where s.name = looked.name and s.source is null and pgqueue.is_sought(_sought, s.args, s.labels, null)
        returning 1
      )
      select (select count(*) from looked), (select count(*) from gone),
             (select json_build_array(l.name) from looked as l order by l.name desc limit 1)
      into _n, _gone, last;
  end case;
  removed := jsonb_build_object(_place, _gone);
  if _n < _limit then
    last := null;
  end if;
end $$;
