-- running | ready | retrying -> ready under another target, or -> manual (`human`): a part of fall_back() and
-- lose_together(), whose caller has locked the rows. Shares go back, but for those of ordered lanes, which nobody may
-- pass. A job for a human is in the hands of worker -1, under a claim of its own, and stands in no index of claims.
-- Few fall back, and one after the other. Walks jobs_pkey, manual_jobs_pkey, checkpoints_pkey; O(batch log n).
create or replace function pgqueue.turn(_ids uuid[], _fallbacks text[], _reasons text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _ordered constant uuid[] := pgqueue.ordered_among(_ids, false);
  _told record;
  _job record;
begin
  for _told in
    select told.id, told.fallback, told.reason
    from unnest(_ids, _fallbacks, _reasons) as told (id, fallback, reason)
    order by told.id
  loop
    select job.queue, job.target, job.limit_key, job.hold into _job from pgqueue.jobs as job where job.id = _told.id;
    if _told.fallback = 'human' then
      update pgqueue.jobs as job
      set worker = -1, claim = least(job.claim, 2147483646) + 1, attempt = least(greatest(job.attempt, 0), 32766) + 1,
          crashes = 0, started_at = clock_timestamp(), avoid_host = null, lane = '', lined = false,
          hold = case when job.id = any (_ordered) then job.hold end, fallen_from = job.fallen_from || job.target
      where job.id = _told.id;
      insert into pgqueue.manual_jobs as manual (job_id, claim, since, reason)
      select job.id, job.claim, job.started_at, _told.reason from pgqueue.jobs as job where job.id = _told.id
      on conflict (job_id) do update set claim = excluded.claim, since = excluded.since, reason = excluded.reason;
    else
      update pgqueue.jobs as job
      set worker = null, attempt = 0, crashes = 0, started_at = null, avoid_host = null, run_at = clock_timestamp(),
          target = _told.fallback, lane = pgqueue.lane_of(job.limit_key, _told.fallback), lined = null,
          hold = case when job.id = any (_ordered) then job.hold end, fallen_from = job.fallen_from || job.target,
          timeout = null, max_attempts = null,
          own_terms = case when job.fallen_from is not null then job.own_terms
                           when coalesce(job.timeout, job.max_attempts) is not null
                             then json_build_object('timeout', job.timeout::text, 'max_attempts', job.max_attempts)
                      end
      where job.id = _told.id;
      -- Where other code was to go on is no place for this one.
      delete from pgqueue.checkpoints as place where place.job_id = _told.id;
    end if;
    if _job.hold is not null then
      perform pgqueue.let_go(
        array[_job.queue], array[_job.target], array[case when _told.id <> all (_ordered) then _job.limit_key end],
        array[_job.hold]);
    end if;
  end loop;
end $$;
