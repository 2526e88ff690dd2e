-- (nothing) -> scheduled | ready, many at once, of which some say more of their unique keys, or a cost
-- (enqueue_keyed.sql), in the caller's transaction and one round trip. Answers the ids in order. Each job is judged on
-- its own, in the order of enqueue_jobs: one conflict never fails the others, but where it is to raise, which leaves
-- nothing of the batch. O(batch log n).
create or replace function pgqueue.enqueue_keyed_jobs(
  _ids uuid[], _given boolean[], _targets text[], _args text[], _queues text[], _priorities smallint[],
  _delays float8[], _run_ats timestamptz[], _ttls float8[], _timeouts float8[], _max_attempts smallint[],
  _unique_keys text[], _limit_keys text[], _store_results boolean[], _labels text[], _until_starts boolean[],
  _windows float8[], _on_conflicts text[], _max_waits float8[], _costs int[], _notify text)
returns setof uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before constant text := coalesce(current_setting('pgqueue.notify', true), '');
  _new record;
  _added record;
  _created boolean[] := '{}';
begin
  if _notify is not null then
    perform set_config('pgqueue.notify', _notify, true);
  end if;
  -- In two rounds, each in an order of its own, so that no two batches deadlock: given ids in order of id, without
  -- their keys; then keys in order of key. Rows of unnest, because a subscript walks an array of texts from its beginning.
  for _new in
    select new.*
    from unnest(_ids, _given, _targets, _args, _queues, _priorities, _delays, _run_ats, _ttls, _timeouts, _max_attempts,
                _limit_keys, _store_results, _labels, _costs) with ordinality
      as new (id, given, target, args, queue, priority, delay, run_at, ttl, timeout, max_attempts, limit_key,
              store_result, labels, cost, n)
    where new.given
    order by new.id, new.n
  loop
    select added.created into _added
    from pgqueue.enqueue_keyed(
      _new.id, true, _new.target, _new.args::json, _new.queue, _new.priority, make_interval(secs => _new.delay),
      _new.run_at, make_interval(secs => _new.ttl), _new.timeout, _new.max_attempts, null, _new.limit_key,
      _new.store_result, _new.labels::jsonb, false, null, null, null, _new.cost, null) as added;
    _created[_new.n] := _added.created;
  end loop;
  for _new in
    select new.*
    from unnest(_ids, _given, _targets, _args, _queues, _priorities, _delays, _run_ats, _ttls, _timeouts, _max_attempts,
                _unique_keys, _limit_keys, _store_results, _labels, _until_starts, _windows, _on_conflicts, _max_waits,
                _costs) with ordinality
      as new (id, given, target, args, queue, priority, delay, run_at, ttl, timeout, max_attempts, unique_key,
              limit_key, store_result, labels, until_start, taken_for, on_conflict, max_wait, cost, n)
    where case when new.given then new.unique_key is not null and _created[new.n] else true end
    order by new.unique_key collate "C", new.n
  loop
    if _new.given then
      -- Its id is this transaction's now: who comes with the same one waits.
      delete from pgqueue.jobs as job where job.id = _new.id;
    end if;
    select added.id into _added
    from pgqueue.enqueue_keyed(
      _new.id, false, _new.target, _new.args::json, _new.queue, _new.priority, make_interval(secs => _new.delay),
      _new.run_at, make_interval(secs => _new.ttl), _new.timeout, _new.max_attempts, _new.unique_key, _new.limit_key,
      _new.store_result, _new.labels::jsonb, _new.until_start, make_interval(secs => _new.taken_for), _new.on_conflict,
      make_interval(secs => _new.max_wait), _new.cost, null) as added;
    if _added.id <> _new.id then
      _ids := array_replace(_ids, _new.id, _added.id);
    end if;
  end loop;
  if _notify is not null then
    perform set_config('pgqueue.notify', _before, true);
  end if;
  return query select unnest(_ids);
end $$;
