-- As enqueue_jobs, with `_notify` in the place of the session's setting pgqueue.notify for this call alone.
create or replace function pgqueue.enqueue_jobs_as(
  _notify text, _ids uuid[], _given boolean[], _targets text[], _args text[], _queues text[], _priorities smallint[],
  _delays float8[], _run_ats timestamptz[], _ttls float8[], _timeouts float8[], _max_attempts smallint[],
  _unique_keys text[], _limit_keys text[], _store_results boolean[], _labels text[])
returns setof uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before constant text := coalesce(current_setting('pgqueue.notify', true), '');
begin
  perform set_config('pgqueue.notify', _notify, true);
  return query select pgqueue.enqueue_jobs(
    _ids, _given, _targets, _args, _queues, _priorities, _delays, _run_ats, _ttls, _timeouts, _max_attempts,
    _unique_keys, _limit_keys, _store_results, _labels);
  perform set_config('pgqueue.notify', _before, true);
end $$;
