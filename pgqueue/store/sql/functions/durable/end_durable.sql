-- The end of a job that has children, or what is to be undone: a part of follow_up(). After a success nothing; else its
-- children are to be cancelled, by upkeep, and what it has done is undone by a job of its own, of the task's companion
-- `...__rollback`, to which all that it remembers goes: revived, it begins from the start.
-- What is refused refuses nothing. O(steps log n).
create or replace function pgqueue.end_durable(_id uuid, _state text, _target text, _said json, _headers json)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _new constant uuid := pgqueue.uuid7();
begin
  if _state = 'succeeded' then
    return;
  end if;
  if exists (select from pgqueue.lineage as line where line.parent_id = _id) then
    insert into pgqueue.abandoned (job_id) values (_id) on conflict (job_id) do update set nth = 0;
  end if;
  if exists (select from pgqueue.steps as step where step.job_id = _id and step.undo is not null) then
    update pgqueue.steps as step set job_id = _new where step.job_id = _id;
    perform pgqueue.bring(
      _id,
      json_strip_nulls(json_build_object(
        'id', _new, 'target', _target || '__rollback', 'args', json_build_object('job', _id),
        'queue', _said ->> 'queue', 'priority', (_said ->> 'priority')::int, 'headers', _headers)),
      'rollback', 32767, 2147483647);
  end if;
exception when others then
  if sqlstate ~ '^(40|53|55|57|58)' then
    raise;
  end if;
  raise warning 'what job % has done cannot be undone: % (%)', _id, sqlerrm, sqlstate;
end $$;
