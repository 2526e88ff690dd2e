-- (nothing) -> scheduled | ready for jobs that a durable function brings as a step, told as JSON (enqueue_new.sql), with
-- the ids that they have there; or -> manual, for a human. Their ends are signals, for which anybody may wait. `standing`
-- and `result`, the ids, as of remember(). Unless they are detached, they are cancelled when their parent ends without
-- success. What is refused raises, and nothing is enqueued. O(batch log n).
create or replace function pgqueue.spawn_children(
  _worker bigint, _id uuid, _claim int, _name text, _nth int, _new_jobs json, _ids uuid[], _detached boolean,
  _human boolean, _max_depth int, _max_children int, out standing text, out result text)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _taken uuid;
begin
  select wrote.standing, wrote.result into standing, result
  from pgqueue.remember(_worker, _id, _claim, 'child', _name, _nth, to_json(_ids)) as wrote;
  if standing <> 'done' then
    return;
  end if;
  select added.id into _taken
  from pgqueue.spawn(_id, _new_jobs, case when _detached then 'detached' else 'child' end, _max_depth, _max_children)
    as added
  where not added.created limit 1;
  if found then
    raise exception 'a job with the id %, or with the key of this one, is there already', _taken
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', hint = 'spawn() is a step: it needs no key and no id';
  end if;
  update pgqueue.jobs as job
  set follow_ups = (
    select json_agg(each.value)
    from (
      select before.value from json_array_elements(coalesce(job.follow_ups, '[]')) as before (value)
      union all
      select json_build_object('on', 'end', 'signal', _id)
    ) as each)
  where job.id = any (_ids);
  if not _detached then
    perform pgqueue.mind_end(_id, _claim);
  end if;
  if _human then
    update pgqueue.jobs as job
    set worker = -1, claim = 1, attempt = 1, started_at = clock_timestamp(), lane = '', lined = false
    where job.id = any (_ids);
    insert into pgqueue.manual_jobs (job_id, claim, since)
    select job.id, job.claim, job.started_at from pgqueue.jobs as job where job.id = any (_ids);
  end if;
end $$;
