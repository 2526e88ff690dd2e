-- As enqueue_job, with `_notify` in the place of the session's setting pgqueue.notify for this call alone.
create or replace function pgqueue.enqueue_job_as(
  _notify text, _id uuid, _given boolean, _target text, _args json, _queue text, _priority smallint, _delay interval,
  _run_at timestamptz, _ttl interval, _timeout float8, _max_attempts smallint, _unique_key text, _limit_key text,
  _store_result boolean, _labels jsonb,
  out id uuid, out created boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before constant text := coalesce(current_setting('pgqueue.notify', true), '');
begin
  perform set_config('pgqueue.notify', _notify, true);
  select added.id, added.created into id, created
  from pgqueue.enqueue_job(
    _id, _given, _target, _args, _queue, _priority, _delay, _run_at, _ttl, _timeout, _max_attempts, _unique_key,
    _limit_key, _store_result, _labels) as added;
  perform set_config('pgqueue.notify', _before, true);
end $$;
