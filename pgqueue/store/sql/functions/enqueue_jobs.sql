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
as $$
begin
  if array_remove(_unique_keys, null) <> '{}' or true = any (_given) then
    return query
    select added.id
    from (
      -- In order of the keys, so that two batches with the same ones do not deadlock.
      select n from generate_subscripts(_ids, 1) as n
      order by _unique_keys[n], case when _given[n] then _ids[n] end, n) as sorted
    cross join lateral pgqueue.enqueue_job(
      _ids[n], _given[n], _targets[n], _args[n]::json, _queues[n], _priorities[n],
      make_interval(secs => _delays[n]), _run_ats[n], make_interval(secs => _ttls[n]), _timeouts[n],
      _max_attempts[n], _unique_keys[n], _limit_keys[n], _store_results[n], _labels[n]::jsonb) as added
    order by n;
    return;
  end if;
  insert into pgqueue.jobs (id, run_at, expires_at, timeout, priority, max_attempts, store_result, queue, target,
                            args, limit_key, labels)
  select new.id, due.at, due.at + make_interval(secs => new.ttl), new.timeout, coalesce(new.priority, 5::smallint),
         new.max_attempts, new.store_result, coalesce(new.queue, 'default'), new.target,
         new.args::json, new.limit_key, new.labels::jsonb
  from unnest(_ids, _targets, _args, _queues, _priorities, _delays, _run_ats, _ttls, _timeouts, _max_attempts,
              _limit_keys, _store_results, _labels)
    as new (id, target, args, queue, priority, delay, run_at, ttl, timeout, max_attempts,
            limit_key, store_result, labels)
  cross join lateral (
    select coalesce(new.run_at, clock_timestamp() + make_interval(secs => coalesce(new.delay, 0))) as at) as due;
  perform pgqueue.wake(due.queue)
  from (
    select distinct coalesce(new.queue, 'default') as queue
    from unnest(_queues, _delays, _run_ats) as new (queue, delay, run_at)
    where coalesce(new.run_at <= clock_timestamp() + interval '10 seconds', coalesce(new.delay, 0) <= 10)) as due;
  return query select unnest(_ids);
end $$;
