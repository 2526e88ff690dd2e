-- What became of a job that has ended: a part of explain(); no row if it has not, or there is none.
-- Walks dead_jobs_pkey, attempts_pkey backwards (20 attempts at most), jobs_unique; O(log n).
create or replace function pgqueue.explain_ended(_id uuid)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := statement_timestamp();
  _end record;
  _rival uuid;
begin
  select 'dead' as state, d.queue, d.target, d.attempt::int as attempt, d.claim, d.died_at as at, d.reason,
         d.error_type, left(d.error, 500) as error, d.unique_key, d.limit_key, d.hold
  into _end
  from pgqueue.dead_jobs as d where d.id = _id;
  if not found then
    select last.outcome as state, last.queue, last.target, last.attempt::int as attempt, last.claim,
           last.finished_at as at, null::text as reason, last.error_type, left(last.error, 500) as error,
           null::text as unique_key, last.limit_key, null::bigint as hold
    into _end
    from (
      select * from pgqueue.attempts as a where a.job_id = _id order by a.claim desc limit 20) as last
    where last.outcome in ('succeeded', 'cancelled')
    order by last.claim desc
    limit 1;
    if not found then
      return;
    end if;
  end if;
  code := 'state';
  holds := false;
  text := format('%s, attempt %s, queue %s, target %s', _end.state, _end.attempt, _end.queue, _end.target);
  detail := jsonb_build_object('id', _id, 'state', _end.state, 'queue', _end.queue, 'target', _end.target,
                               'attempt', _end.attempt, 'claim', _end.claim);
  return next;

  if _end.unique_key is not null then
    select job.id into _rival from pgqueue.jobs as job where job.unique_key = _end.unique_key;
  end if;
  code := 'ended';
  holds := true;
  text := case _end.state
    when 'succeeded' then format('succeeded %s ago', pgqueue.time_between(_end.at, _now))
    when 'cancelled' then format('cancelled %s ago: %s', pgqueue.time_between(_end.at, _now),
                                 coalesce(left(_end.error, 200), 'before it ran'))
    else format('dead for %s: %s after attempt %s%s', pgqueue.time_between(_end.at, _now), _end.reason, _end.attempt,
                coalesce('; ' || left(nullif(concat_ws(': ', _end.error_type, nullif(_end.error, '')), ''), 300), ''))
    end;
  detail := jsonb_strip_nulls(jsonb_build_object(
    'at', _end.at, 'reason', _end.reason, 'error_type', _end.error_type, 'error', _end.error));
  cure := case when _end.state <> 'dead' then null
               when _rival is not null then 'pgqueue jobs cancel ' || _rival || ' && pgqueue jobs retry ' || _id
               else 'pgqueue jobs retry ' || _id end;
  return next;

  if _rival is not null then
    code := 'unique';
    text := format('a live job, %s, has its unique key: a retry would leave it dead', _rival);
    detail := jsonb_build_object('unique_key', _end.unique_key, 'job', _rival);
    return next;
  end if;
  if _end.hold is not null then
    code := 'lane';
    text := format('its lane %s stands still until it is retried or forgotten', _end.limit_key);
    detail := jsonb_build_object('limit_key', _end.limit_key);
    cure := 'pgqueue jobs retry ' || _id;
    return next;
  end if;
end $$;
