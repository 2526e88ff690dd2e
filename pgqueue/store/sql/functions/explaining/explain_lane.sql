-- Whether a job's lane holds it up: an ordered one that stands still for a job before it, or one in which it is not in
-- line yet: a part of explain(). Walks holds_pkey, jobs_pkey, dead_jobs_pkey; O(shares log n), 5 of them at most.
create or replace function pgqueue.explain_lane(_job pgqueue.jobs, _rule pgqueue.limits)
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := statement_timestamp();
  _holder record;
begin
  code := 'lane';
  if _rule.ordered then
    select h.job_id, waiting.run_at, dead.id as dead into _holder
    from (select * from pgqueue.holds as h where h.name = 'k:' || _job.limit_key limit 5) as h
    left join lateral (
      select j.run_at from pgqueue.jobs as j where j.id = h.job_id and j.hold = h.seq and j.worker is null offset 0)
      as waiting on true
    left join lateral (
      select d.id from pgqueue.dead_jobs as d where d.id = h.job_id and d.hold = h.seq offset 0) as dead on true
    where waiting.run_at is not null or dead.id is not null
    limit 1;
    holds := _holder.job_id is not null and _holder.job_id <> _job.id;
    text := case
      when not holds then format('ordered lane %s goes on', _job.limit_key)
      when _holder.dead is not null
        then format('its ordered lane %s stands still: job %s is dead', _job.limit_key, _holder.job_id)
      else format('its ordered lane %s waits for job %s, which is tried again in %s', _job.limit_key, _holder.job_id,
                  pgqueue.time_between(_now, greatest(_now, _holder.run_at))) end;
    detail := jsonb_strip_nulls(jsonb_build_object('limit_key', _job.limit_key, 'job', _holder.job_id,
                                                   'run_at', _holder.run_at));
    cure := case when holds then 'pgqueue jobs retry ' || _holder.job_id end;
    return next;
  end if;
  if _job.lane is not null and _job.lined is null and _job.run_at <= _now then
    -- Whoever claims lines up first, so this lasts no longer than a poll.
    holds := _job.run_at <= _now - interval '30 seconds';
    text := format('due for %s, and not in line yet: the next claim of a worker lines it up',
                   pgqueue.time_between(_job.run_at, _now));
    detail := jsonb_build_object('limit_key', _job.limit_key, 'run_at', _job.run_at);
    cure := null;
    return next;
  end if;
end $$;
