-- (nothing) -> scheduled | ready for a job that is told as JSON, as pgqueue writes them down for later (spawning.py):
-- names are those of enqueue_keyed.sql, durations are seconds. Answers as that does. O(log n).
create or replace function pgqueue.enqueue_new(_new json, out id uuid, out created boolean, out replaced boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _job record;
begin
  select * into _job
  from json_to_record(_new) as new (
    id uuid, given boolean, target text, args json, queue text, priority smallint, delay float8, run_at timestamptz,
    ttl float8, timeout float8, max_attempts smallint, unique_key text, limit_key text, store_result boolean,
    labels jsonb, until_start boolean, taken_for float8, on_conflict text, max_wait float8, cost int, notify text,
    follow_ups json, headers json);
  select added.id, added.created, added.replaced into id, created, replaced
  from pgqueue.enqueue_keyed(
    coalesce(_job.id, pgqueue.uuid7()), coalesce(_job.given, false), _job.target, _job.args, _job.queue, _job.priority,
    make_interval(secs => _job.delay), _job.run_at, make_interval(secs => _job.ttl), _job.timeout, _job.max_attempts,
    _job.unique_key, _job.limit_key, _job.store_result, _job.labels, _job.until_start,
    make_interval(secs => _job.taken_for), _job.on_conflict, make_interval(secs => _job.max_wait), _job.cost,
    _job.notify) as added;
  if (created or replaced) and (_job.follow_ups is not null or _job.headers is not null) then
    update pgqueue.jobs as job
    set follow_ups = coalesce(_job.follow_ups, job.follow_ups), headers = coalesce(_job.headers, job.headers)
    where job.id = enqueue_new.id;
  end if;
end $$;
