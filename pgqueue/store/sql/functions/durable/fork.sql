-- (nothing) -> ready: a new job of the same task, with the same arguments, which remembers what the old one had done before
-- this step, and goes on there. Answers its id; null if there is no such job. Raises if the job has no such step.
-- select pgqueue.fork('0197...', 'charge');
-- Undone, if it comes to that, is what it remembers, too. The old job stays as it is. O(steps log n).
create or replace function pgqueue.fork(job_id uuid, step text) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  _job record;
  _nth int;
  _new constant uuid := pgqueue.uuid7();
  _before text;
begin
  perform pgqueue.note_act('fork', step, array[job_id]);
  select one.queue, coalesce(one.fallen_from[1], one.target) as target, one.args, one.priority, one.max_attempts,
         one.labels, one.limit_key
  into _job
  from pgqueue.job as one where one.id = job_id;
  if not found then
    return null;
  end if;
  select min(known.nth) into _nth from pgqueue.steps as known where known.job_id = fork.job_id and known.name = step;
  if _nth is null then
    raise exception 'job % has no step %', job_id, coalesce(quote_literal(left(step, 80)), 'null')
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', hint = 'pgqueue steps ' || job_id || ' lists them';
  end if;
  _before := pgqueue.act_for_job(job_id);
  -- As texts: what the arguments say stays as it was written.
  perform from pgqueue.enqueue_new((left(json_strip_nulls(json_build_object(
    'id', _new, 'given', true, 'target', _job.target, 'queue', _job.queue, 'priority', _job.priority,
    'max_attempts', _job.max_attempts, 'labels', _job.labels, 'limit_key', _job.limit_key))::text, -1)
    || ',"args":' || coalesce(_job.args::text, '{}') || '}')::json);
  perform pgqueue.descend(_new, job_id, 'fork', 32767, 2147483647);
  insert into pgqueue.steps (job_id, kind, name, nth, at, claim, until, result, undo)
  select _new, known.kind, known.name, known.nth, known.at, 1, known.until, known.result, known.undo
  from pgqueue.steps as known where known.job_id = fork.job_id and known.nth < _nth;
  -- As if it had been claimed before: it asks what it remembers.
  update pgqueue.jobs as job set claim = 1 where job.id = _new;
  if exists (select from pgqueue.steps as known where known.job_id = _new and known.undo is not null) then
    perform pgqueue.mind_end(_new, 1);
  end if;
  perform pgqueue.act_for(_before);
  return _new;
end $$;
