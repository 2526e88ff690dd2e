-- The public way in for SQL: a job that has not ended is to be followed by another one, when it has `succeeded`, is
-- `dead`, or has reached whatever `end`. Answers its id; raises if there is no such job, or it has ended.
-- select pgqueue.add_follow_up(pgqueue.enqueue('shop:charge', '[42]'), 'dead', 'shop:tell', '{"order_id": 42}');
-- Waits for a claim or settle in flight. Walks jobs_pkey; O(log n).
create or replace function pgqueue.add_follow_up(
  job_id uuid, awaited text, target text, args json default '{}', queue text default null, priority int default null,
  delay interval default null, timeout interval default null, max_attempts int default null,
  unique_key text default null, limit_key text default null, store_result boolean default null,
  labels jsonb default null)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  fault constant text[] := coalesce(
    pgqueue.fault_in_options(
      target, args, queue, priority, delay, null, null, timeout, max_attempts, unique_key, limit_key, null, labels),
    case
      when awaited is null or awaited not in ('succeeded', 'dead', 'end') then array[
        'a follow-up awaits succeeded, dead or end, got ' || coalesce(quote_literal(left(awaited, 80)), 'null'),
        'end is any of the three ends']
      when json_typeof(args) <> 'object' then array[
        'the arguments of a follow-up are given by keyword, got ' || left(args::text, 80),
        'write an object: the ended job comes beside them, as the argument ended']
      when args -> 'ended' is not null then array[
        'the argument ended is that of the job that has ended', 'call yours by another name']
    end);
  new json;
begin
  if fault is not null then
    raise exception '%', fault[1] using errcode = 'invalid_parameter_value', schema = 'pgqueue', hint = fault[2];
  end if;
  new := json_strip_nulls(json_build_object(
    'on', awaited, 'target', target, 'queue', queue, 'priority', priority, 'delay', extract(epoch from delay)::float8,
    'timeout', extract(epoch from timeout)::float8::text, 'max_attempts', max_attempts, 'unique_key', unique_key,
    'limit_key', limit_key, 'store_result', store_result, 'labels', labels));
  update pgqueue.jobs as job
  set follow_ups = (
    select json_agg(each.value)
    from (
      select before.value from json_array_elements(coalesce(job.follow_ups, '[]')) as before (value)
      union all
      select (left(new::text, -1) || ',"args":' || coalesce(args, '{}')::text || '}')::json
    ) as each)
  where job.id = job_id and json_array_length(coalesce(job.follow_ups, '[]')) < 100;
  if not found then
    raise exception 'job % has ended, was never here, or has 100 follow-ups', job_id
      using errcode = 'invalid_parameter_value', schema = 'pgqueue', hint = 'add them in the transaction that enqueues it';
  end if;
  return job_id;
end $$;
