-- An attempt that wanted to settle after its lease was gone: from `lost` to `late`, nothing else.
-- Answers the ids that really were late. What this token has settled in the same way before is none of them: only the
-- reply was lost. What it has settled in another way is: the caller must not believe in the second.
-- Walks attempts_pkey, jobs_pkey; O(batch log n).
create or replace function pgqueue.record_late(
  _worker bigint, _ids uuid[], _claims int[], _outcome text, _settled uuid[] default '{}')
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  update pgqueue.attempts as attempt
  set outcome = 'late', finished_at = now(), error_type = 'pgqueue.LeaseLost',
      error = format('%s, but its lease had ended before; nothing was changed', _outcome)
  where attempt.job_id = any (_ids) and attempt.worker = _worker and attempt.outcome = 'lost'
    and attempt.job_id <> all (_settled)
    -- `is true`, and `offset` below: as joins they could be turned round, and walk the table.
    and ((attempt.job_id, attempt.claim) in (
      select told.id, told.claim from unnest(_ids, _claims) as told (id, claim))) is true;
  if found then
    perform pgqueue.wake_waiters(_ids);
  end if;
  return array(
    select told.id
    from unnest(_ids, _claims) as told (id, claim)
    where told.id <> all (_settled)
      and not exists (
        select from pgqueue.attempts as attempt
        where attempt.job_id = told.id and attempt.claim = told.claim and attempt.worker = _worker
          and case _outcome
                when 'succeeded' then attempt.outcome = 'succeeded'
                when 'released' then attempt.outcome = 'released'
                else attempt.outcome not in ('late', 'lost', 'succeeded', 'released') end
        offset 0)
      and not (
        -- A release of what had not begun leaves no attempt; the job waits, or was called off.
        _outcome = 'released'
        and (exists (
            select from pgqueue.jobs as job
            where job.id = told.id and job.claim = told.claim and job.worker is null
            offset 0)
          or exists (
            select from pgqueue.attempts as ended
            where ended.job_id = told.id and ended.claim - 1 = told.claim and ended.outcome = 'cancelled'
              and ended.worker is null
            offset 0))
        and not exists (
          select from pgqueue.attempts as attempt
          where attempt.job_id = told.id and attempt.claim = told.claim
          offset 0)));
end $$;
