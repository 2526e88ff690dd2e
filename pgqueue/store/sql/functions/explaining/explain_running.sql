-- Who has a job that was claimed, and whether it runs: a part of explain().
-- Of the jobs that a worker holds as many run as it has slots, the first in the order of their claims; they are looked
-- for at the heads of the job's own queue, about 2,000 of them, so a job may be said to run that waits for its slot.
-- Walks workers_pkey, worker_reports_pkey, cancellations_pkey, jobs_claim (peek.sql); O(slots log n).
create or replace function pgqueue.explain_running(_job pgqueue.jobs)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _worker pgqueue.workers;
  _asked timestamptz;
  _before int;
  _where text;
begin
  select * into _worker from pgqueue.workers as w where w.id = _job.worker;
  select c.requested_at into _asked from pgqueue.cancellations as c where c.job_id = _job.id;
  _where := coalesce(format('%s, pid %s', _worker.host, _worker.pid), format('worker %s', _job.worker));
  detail := jsonb_strip_nulls(jsonb_build_object(
    'worker', _job.worker, 'host', _worker.host, 'pid', _worker.pid, 'executor', _worker.executor,
    'claim', _job.claim, 'since', _job.started_at, 'lease_until', _worker.expires_at, 'asked_to_end_at', _asked));

  code := 'lost';
  holds := _worker.expires_at is null or _worker.expires_at <= _now;
  text := case
    when _worker.id is null then format('its worker %s has no row: whoever does the chores takes it back', _job.worker)
    when holds then format('the lease of its worker (%s) ended %s ago: whoever does the chores takes the job back',
                           _where, pgqueue.time_between(_worker.expires_at, _now))
    else format('the lease of its worker is good for %s', pgqueue.time_between(_now, _worker.expires_at)) end;
  cure := case
    when not holds then null
    when exists (select from pgqueue.workers as w where w.expires_at > _now) then
      case when _worker.id is null then 'select pgqueue.reap_orphans();' else 'select * from pgqueue.reap();' end
    else 'pgqueue worker -A ' || pgqueue.shell_word(split_part(_job.target, ':', 1)) end;
  return next;

  code := 'ahead';
  cure := null;
  if pgqueue.is_walkable() then
    select count(*) into _before
    from pgqueue.peek(array[_job.queue], 2000) as head
    where head.worker = _job.worker and (head.started_at, head.id) < (_job.started_at, _job.id);
  end if;
  holds := case when _before is not null then coalesce(_before >= _worker.concurrency, false) end;
  -- Its worker knows better, if it has told of it.
  if exists (
    select from pgqueue.worker_reports as r
    cross join lateral json_array_elements(
      case when json_typeof(r.report -> 'running') = 'array' then r.report -> 'running' else '[]' end) as each (said)
    where r.id = _job.worker and pg_column_size(r.report) <= 20000 and json_typeof(each.said) = 'array'
      and each.said ->> 0 = _job.id::text and each.said ->> 1 = _job.claim::text)
  then
    holds := false;
  end if;
  text := case
    when holds then format('claimed ahead of a free slot by %s: %s of its jobs come before, on %s slots', _where, _before,
                           _worker.concurrency)
    when holds is null then 'whether it has a slot of its worker was not looked up: very many dead rows are in the way'
    else 'it has a slot of its worker' end;
  return next;

  code := 'running';
  holds := true;
  text := format('on %s for %s%s', _where, pgqueue.time_between(_job.started_at, _now),
                 case when _asked is not null
                      then format('; asked to end %s ago', pgqueue.time_between(_asked, _now)) end);
  cure := case when _asked is null then 'pgqueue jobs cancel ' || _job.id
               when _worker.id is not null then 'pgqueue workers evict ' || _worker.id end;
  return next;
end $$;
