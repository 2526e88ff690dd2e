-- (nothing) -> scheduled | ready, many at once, of which some say more about their unique keys (enqueue_keyed.sql), in
-- the caller's transaction and one round trip. Answers the ids in order. Each job is judged on its own, in the order of
-- enqueue_jobs: one conflict never fails the others, but where it is to raise, which leaves nothing of the batch.
-- O(batch log n).
create or replace function pgqueue.enqueue_keyed_jobs(
  _ids uuid[], _given boolean[], _targets text[], _args text[], _queues text[], _priorities smallint[],
  _delays float8[], _run_ats timestamptz[], _ttls float8[], _timeouts float8[], _max_attempts smallint[],
  _unique_keys text[], _limit_keys text[], _store_results boolean[], _labels text[], _until_starts boolean[],
  _windows float8[], _on_conflicts text[], _max_waits float8[], _notify text)
returns setof uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before constant text := coalesce(current_setting('pgqueue.notify', true), '');
  _n int;
  _id uuid;
  _is_new boolean;
  _created boolean[] := '{}';
begin
  if _notify is not null then
    perform set_config('pgqueue.notify', _notify, true);
  end if;
  -- In two rounds, each in an order of its own, so that no two batches deadlock: given ids in order of id, without
  -- their keys; then keys in order of key.
  for _n in
    select n from generate_subscripts(_ids, 1) as n where _given[n] order by _ids[n], n
  loop
    select added.id, added.created into _id, _is_new
    from pgqueue.enqueue_job(
      _ids[_n], true, _targets[_n], _args[_n]::json, _queues[_n], _priorities[_n],
      make_interval(secs => _delays[_n]), _run_ats[_n], make_interval(secs => _ttls[_n]), _timeouts[_n],
      _max_attempts[_n], null, _limit_keys[_n], _store_results[_n], _labels[_n]::jsonb) as added;
    _created[_n] := _is_new;
  end loop;
  for _n in
    select n from generate_subscripts(_ids, 1) as n
    where not _given[n] or (_created[n] and _unique_keys[n] is not null)
    order by _unique_keys[n] collate "C", n
  loop
    if _given[_n] then
      -- Its id is this transaction's now: who comes with the same one waits.
      delete from pgqueue.jobs as job where job.id = _ids[_n];
    end if;
    if _unique_keys[_n] is null then
      perform pgqueue.enqueue_job(
        _ids[_n], false, _targets[_n], _args[_n]::json, _queues[_n], _priorities[_n],
        make_interval(secs => _delays[_n]), _run_ats[_n], make_interval(secs => _ttls[_n]), _timeouts[_n],
        _max_attempts[_n], null, _limit_keys[_n], _store_results[_n], _labels[_n]::jsonb);
      continue;
    end if;
    select added.id into _id
    from pgqueue.enqueue_keyed(
      _ids[_n], false, _targets[_n], _args[_n]::json, _queues[_n], _priorities[_n],
      make_interval(secs => _delays[_n]), _run_ats[_n], make_interval(secs => _ttls[_n]), _timeouts[_n],
      _max_attempts[_n], _unique_keys[_n], _limit_keys[_n], _store_results[_n], _labels[_n]::jsonb,
      _until_starts[_n], make_interval(secs => _windows[_n]), _on_conflicts[_n],
      make_interval(secs => _max_waits[_n]), null) as added;
    _ids := array_replace(_ids, _ids[_n], _id);
  end loop;
  if _notify is not null then
    perform set_config('pgqueue.notify', _before, true);
  end if;
  return query select unnest(_ids);
end $$;
