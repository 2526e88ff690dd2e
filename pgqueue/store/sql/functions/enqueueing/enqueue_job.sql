-- (nothing) -> scheduled | ready, in the caller's transaction.
-- Answers the id of the job, and whether this call created it. A unique key finds the live job that has it; a given
-- id (`_given`) finds a job in any state, so that a call whose COMMIT was cut off can be repeated.
-- Delay and ttl are elapsed seconds, a day of them 86,400, whatever the session's clocks do in between; a month is 30
-- days, a year 365.25. Walks jobs_pkey, jobs_unique, attempts_pkey; O(log n).
create or replace function pgqueue.enqueue_job(
  _id uuid, _given boolean, _target text, _args json, _queue text, _priority smallint, _delay interval,
  _run_at timestamptz, _ttl interval, _timeout float8, _max_attempts smallint, _unique_key text, _limit_key text,
  _store_result boolean, _labels jsonb,
  out id uuid, out created boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _due constant timestamptz := coalesce(
    _run_at, clock_timestamp() + make_interval(secs => coalesce(extract(epoch from _delay), 0)::float8));
  _filled constant boolean := (_queue is null or _priority is null) and pgqueue.is_filled();
  _put text;
begin
  _unique_key := pgqueue.tenant_key(_unique_key);
  if _given and pgqueue.has_ended(_id) then
    created := false;
    id := _id;
    return;
  end if;
  for round in 1..100 loop
    insert into pgqueue.jobs (id, run_at, expires_at, timeout, priority, max_attempts, store_result, queue, target,
                              args, unique_key, limit_key, labels)
    values (_id, _due, _due + make_interval(secs => extract(epoch from _ttl)::float8), _timeout,
            coalesce(_priority, case when not _filled then 5::smallint end), _max_attempts, _store_result,
            coalesce(_queue, case when not _filled then 'default' end), _target,
            coalesce(_args, '{}'),
            _unique_key, _limit_key, _labels)
    on conflict do nothing
    returning jobs.queue into _put;
    created := found;
    if created and _given and pgqueue.ended_meanwhile(_id) then
      created := false;
      id := _id;
      return;
    end if;
    if created then
      -- Workers ask for the next due time when they fall idle; they need to hear of what is due before their poll.
      if _due <= clock_timestamp() + interval '10 seconds' then
        perform pgqueue.wake(_put);
      end if;
      id := _id;
      return;
    end if;
    select job.id into id
    from pgqueue.jobs as job
    where job.id = _id or job.unique_key = _unique_key
    order by job.id = _id desc
    limit 1;
    if found then
      return;
    end if;
    -- What stood in the way ended in between: once more. Or it is another tenant's, and not to be seen.
    exit when _given and round > 2 and not pgqueue.sees_all_tenants();
  end loop;
  if _given and not pgqueue.sees_all_tenants() then
    raise exception 'the job id % is taken', _id
      using errcode = 'unique_violation', schema = 'pgqueue', table = 'jobs', constraint = 'jobs_pkey',
            hint = 'let pgqueue make the id, or make one of version 7 of your own';
  end if;
  raise exception 'job % could not be enqueued: its unique key % changed hands 100 times', _id, _unique_key
    using hint = 'enqueue it again';
end $$;
