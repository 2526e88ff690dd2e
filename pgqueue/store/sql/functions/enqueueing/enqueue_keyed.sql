-- (nothing) -> scheduled | ready for a job that says more of its unique key than that no other live job may have it, or
-- its cost, with a key or without; in the caller's transaction. Answers the id of the job that has the key, whether this call created it, and whether that
-- job waited and now says what this call does.
-- _until_start: the claim lets go of the key, for good; no later move takes one, so none can meet another job's. What
-- is found waiting is locked to COMMIT (FOR SHARE, or by being replaced): claims pass it by, so that its run sees what
-- this transaction has written. A job that is asked for without pause would never start: once it has been due for
-- _max_wait (a minute; so where that is 0), nobody locks it any more, and calls find a second one, whose key has one
-- character more.
-- _window: the key is taken until so long after the job falls due, even if it has ended (take_window.sql).
-- _on_conflict: keep (null), replace what waits (replace_waiting.sql), raise. A given id finds its job before its key.
-- _notify stands in the place of the session's setting pgqueue.notify, if it is not null.
-- Walks jobs_pkey, jobs_unique, unique_windows_pkey, attempts_pkey; O(log n).
create or replace function pgqueue.enqueue_keyed(
  _id uuid, _given boolean, _target text, _args json, _queue text, _priority smallint, _delay interval,
  _run_at timestamptz, _ttl interval, _timeout float8, _max_attempts smallint, _unique_key text, _limit_key text,
  _store_result boolean, _labels jsonb, _until_start boolean, _window interval, _on_conflict text, _max_wait interval,
  _cost int, _notify text,
  out id uuid, out created boolean, out replaced boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _due constant timestamptz := coalesce(
    _run_at, clock_timestamp() + make_interval(secs => coalesce(extract(epoch from _delay), 0)::float8));
  _patience constant interval := make_interval(secs => coalesce(nullif(extract(epoch from _max_wait), 0), 60)::float8);
  _before constant text := coalesce(current_setting('pgqueue.notify', true), '');
  _filled constant boolean := (_queue is null or _priority is null) and pgqueue.is_filled();
  _put text;
  _seat text;
  _holder uuid;
  _in_window boolean := false;
  _shared boolean := coalesce(_until_start, false);
  _job record;
begin
  _unique_key := pgqueue.tenant_key(_unique_key);
  _seat := _unique_key;
  created := false;
  replaced := false;
  if _given and pgqueue.has_ended(_id) then
    id := _id;
    return;
  end if;
  if _notify is not null then
    perform set_config('pgqueue.notify', _notify, true);
  end if;
  if _window is not null then
    _holder := pgqueue.take_window(
      _unique_key, _due + make_interval(secs => extract(epoch from _window)::float8), _id);
    _in_window := _holder <> _id;
    -- What comes in a window is not promised a run of its own.
    _shared := _shared and not _in_window;
  end if;

  for round in 1..100 loop
    if not _in_window then
      insert into pgqueue.jobs (id, run_at, expires_at, timeout, priority, max_attempts, store_result, queue, target,
                                args, unique_key, start_key, limit_key, cost, labels)
      values (_id, _due, _due + make_interval(secs => extract(epoch from _ttl)::float8), _timeout,
              coalesce(_priority, case when not _filled then 5::smallint end), _max_attempts, _store_result,
              coalesce(_queue, case when not _filled then 'default' end), _target,
              coalesce(_args, '{}'), _seat, case when _until_start then _unique_key end, _limit_key, _cost,
              _labels)
      on conflict do nothing
      returning jobs.queue into _put;
      if found then
        id := _id;
        created := not (_given and pgqueue.ended_meanwhile(_id));
        if created and _due <= clock_timestamp() + interval '10 seconds' then
          perform pgqueue.wake(_put);
        end if;
        exit;
      end if;
      if _given and exists (select from pgqueue.jobs as job where job.id = _id) then
        id := _id;
        exit;
      end if;
      select job.id, job.worker, job.run_at, job.start_key, job.queue into _job
      from pgqueue.jobs as job where job.unique_key = _seat;
      -- It has started or ended meanwhile: once more. Or the id is another tenant's.
      exit when not found and _given and round > 2 and not pgqueue.sees_all_tenants();
      continue when not found;
    else
      -- The window's job, which may have started, or ended: whatever has become of it, it stands.
      select _holder as id, job.worker, job.run_at, job.start_key, job.queue into _job
      from (select) as one left join pgqueue.jobs as job on job.id = _holder;
    end if;

    if _on_conflict = 'raise' then
      raise exception 'the unique key % is taken by job %', quote_literal(_unique_key), _job.id
        using errcode = 'unique_violation', schema = 'pgqueue', table = 'jobs', constraint = 'jobs_unique',
              detail = _job.id::text, hint = 'let on_conflict be keep or replace, or wait for its end';
    end if;
    if _job.run_at is not null and _job.worker is null then
      if _shared and _job.start_key is not null and _seat = _unique_key
        and _job.run_at + _patience < clock_timestamp()
      then
        _seat := _unique_key || chr(1);
        continue;
      end if;
      if _on_conflict = 'replace' then
        replaced := pgqueue.replace_waiting(
          _job.id, _target, _args, _queue, _priority, _delay, _run_at, _ttl, _timeout, _max_attempts, _limit_key,
          _cost, _store_result, _labels, _max_wait);
        continue when not replaced;
      elsif _shared and _job.start_key is not null then
        perform from pgqueue.jobs as job where job.id = _job.id and job.worker is null for share;
        continue when not found;
        -- A worker that has passed it by meanwhile hears of it with the COMMIT.
        if _job.run_at <= clock_timestamp() + interval '10 seconds' then
          perform pgqueue.wake(_job.queue);
        end if;
      end if;
    end if;
    id := _job.id;
    if _holder = _id then
      -- The window that began with this call is that job's.
      update pgqueue.unique_windows as taken set job_id = id where taken.unique_key = _unique_key;
    end if;
    exit;
  end loop;

  if _notify is not null then
    perform set_config('pgqueue.notify', _before, true);
  end if;
  if id is null and _given and not pgqueue.sees_all_tenants() then
    raise exception 'the job id % is taken', _id
      using errcode = 'unique_violation', schema = 'pgqueue', table = 'jobs', constraint = 'jobs_pkey',
            hint = 'let pgqueue make the id, or make one of version 7 of your own';
  end if;
  if id is null then
    raise exception 'job % could not be enqueued: its unique key % changed hands 100 times', _id, _unique_key
      using hint = 'enqueue it again';
  end if;
end $$;
