-- (nothing) -> scheduled | ready, many at once, in the caller's transaction and one round trip.
-- Answers the ids in order. With a unique key or a given id in the batch each job is judged on its own, so that one
-- conflict never fails the others.
-- One insert of the whole batch, or enqueue_job for each; O(batch log n).
create or replace function pgqueue.enqueue_jobs(
  _ids uuid[], _given boolean[], _targets text[], _args text[], _queues text[], _priorities smallint[],
  _delays float8[], _run_ats timestamptz[], _ttls float8[], _timeouts float8[], _max_attempts smallint[],
  _unique_keys text[], _limit_keys text[], _store_results boolean[], _labels text[])
returns setof uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _n int;
  _id uuid;
  _is_new boolean;
  _created boolean[] := '{}';
  _filled constant boolean := pgqueue.is_filled();
begin
  if array_remove(_unique_keys, null) <> '{}' or true = any (_given) then
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
      _ids[_n] := _id;
      _created[_n] := _is_new;
    end loop;
    for _n in
      select n from generate_subscripts(_ids, 1) as n
      where not _given[n] or (_created[n] and _unique_keys[n] is not null)
      order by _unique_keys[n] collate "C", n
    loop
      if _given[_n] then
        _ids := array_replace(_ids, _ids[_n], pgqueue.take_key(_ids[_n], _unique_keys[_n]));
      else
        select added.id into _id
        from pgqueue.enqueue_job(
          _ids[_n], false, _targets[_n], _args[_n]::json, _queues[_n], _priorities[_n],
          make_interval(secs => _delays[_n]), _run_ats[_n], make_interval(secs => _ttls[_n]), _timeouts[_n],
          _max_attempts[_n], _unique_keys[_n], _limit_keys[_n], _store_results[_n], _labels[_n]::jsonb) as added;
        _ids[_n] := _id;
      end if;
    end loop;
    return query select unnest(_ids);
    return;
  end if;
  insert into pgqueue.jobs (id, run_at, expires_at, timeout, priority, max_attempts, store_result, queue, target,
                            args, limit_key, labels)
  select new.id, due.at, due.at + make_interval(secs => new.ttl), new.timeout,
         coalesce(new.priority, case when not _filled then 5::smallint end), new.max_attempts, new.store_result,
         coalesce(new.queue, case when not _filled then 'default' end), new.target,
         new.args::json, new.limit_key, new.labels::jsonb
  from unnest(_ids, _targets, _args, _queues, _priorities, _delays, _run_ats, _ttls, _timeouts, _max_attempts,
              _limit_keys, _store_results, _labels)
    as new (id, target, args, queue, priority, delay, run_at, ttl, timeout, max_attempts,
            limit_key, store_result, labels)
  cross join lateral (
    select coalesce(new.run_at, clock_timestamp() + make_interval(secs => coalesce(new.delay, 0))) as at) as due;
  perform pgqueue.wake(due.queue)
  from (
    select distinct coalesce(new.queue, case when _filled then pgqueue.route(new.target) else 'default' end) as queue
    from (
      select distinct new.queue, case when _filled then new.target end as target
      from unnest(_queues, _targets, _delays, _run_ats) as new (queue, target, delay, run_at)
      where coalesce(new.run_at <= clock_timestamp() + interval '10 seconds', coalesce(new.delay, 0) <= 10)) as new
  ) as due;
  return query select unnest(_ids);
end $$;
