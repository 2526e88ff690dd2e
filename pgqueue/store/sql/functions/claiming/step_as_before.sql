-- step() as workers of the last release call it: its slots are in no order, and its bytes have the usual bound.
-- All that it does is done there: the same lease, the same guard against the reaper. O((batch + slots) log n).
create or replace function pgqueue.step(
  _worker bigint, _ids uuid[], _claims int[], _result_ids uuid[], _results text[],
  _queues text[], _priorities smallint[], _after timestamptz[], _after_ids uuid[], _lag interval, _limit int,
  _epoch int)
returns table (
  id uuid, claim int, attempt int, crashes int, max_attempts int, timeout float8, store_result boolean,
  priority int, queue text, target text, args text, labels text, run_at timestamptz,
  expired boolean, alive boolean, late uuid[], next_due timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select * from pgqueue.step(
    _worker, _ids, _claims, _result_ids, _results, _queues, _priorities, _after, _after_ids, _lag, _limit, _epoch,
    8388608, false);
end $$;
