-- Who waits for the end of a job, or will, is told of it, with its result if that is stored: a part of follow_up(). Kept as
-- long as _keeper, the job that brought it. Waits for nobody; what is refused refuses nothing. O(log n).
create or replace function pgqueue.signal_end(
  _id uuid, _keeper uuid, _state text, _reason text, _error_type text, _error text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  perform pgqueue.send(
    _id, 'pgqueue:end',
    json_build_object(
      'id', _id, 'state', _state, 'reason', _reason, 'error_type', _error_type, 'error', _error,
      'result', case when _state = 'succeeded' then (
        select stored.result from pgqueue.results as stored
        where stored.job_id = _id and stored.expires_at > now()) end),
    _keeper, false);
exception when others then
  if sqlstate ~ '^(40|53|55|57|58)' then
    raise;
  end if;
  raise warning 'nobody can be told of the end of job %: % (%)', _id, sqlerrm, sqlstate;
end $$;
