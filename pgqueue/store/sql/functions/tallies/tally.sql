-- Append what a worker has counted: at most 5,000 rows, each an object with queue, target, outcome and n, and as there
-- is need minute (null: this one), worker, cause, error_type and error (of a cause that it met the first time), ended
-- (how many of the n ended their job), wait and run (25 counts each, pgqueue.bounds_of_buckets), degraded.
-- For workers in any language, once a minute. Answers how many rows it took. Only appends, but for new causes; O(rows).
create or replace function pgqueue.tally(_rows jsonb) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _taken int;
begin
  if jsonb_typeof(_rows) is distinct from 'array' or jsonb_array_length(_rows) > 5000 then
    raise exception 'rows must be a JSON array of at most 5,000 objects, got %',
        case when jsonb_typeof(_rows) = 'array' then jsonb_array_length(_rows)::text else jsonb_typeof(_rows) end
      using errcode = 'invalid_parameter_value';
  end if;
  insert into pgqueue.tallies (minute, worker, queue, target, outcome, cause, n, ended, wait, run, degraded)
  select date_trunc('minute', least(coalesce(told.minute, now()), now())), coalesce(told.worker, 0), told.queue,
         told.target, told.outcome, told.cause, told.n, coalesce(told.ended, 0), told.wait, told.run,
         coalesce(told.degraded, false)
  from jsonb_to_recordset(_rows) as told (
    minute timestamptz, worker bigint, queue text, target text, outcome text, cause text, n bigint, ended bigint,
    wait bigint[], run bigint[], degraded boolean);
  get diagnostics _taken = row_count;
  perform pgqueue.note_causes(_rows);
  return _taken;
end $$;
