-- A durable function begins to sleep for so many seconds, or goes on to: when it wakes is written down once. Answers
-- `over`, or `wait` and the seconds that are left; `late` if the lease is gone. Walks jobs_pkey, steps_pkey, waits_pkey;
-- O(log n).
create or replace function pgqueue.sleep_until(
  _worker bigint, _id uuid, _claim int, _name text, _nth int, _seconds float8, out standing text, out seconds float8)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _until timestamptz;
begin
  if not pgqueue.has_claim(_worker, _id, _claim) then
    standing := 'late';
    return;
  end if;
  insert into pgqueue.steps (job_id, kind, name, nth, claim, until)
  values (_id, 'sleep', _name, _nth, _claim, clock_timestamp() + make_interval(secs => _seconds))
  on conflict do nothing;
  select step.until into _until
  from pgqueue.steps as step where step.job_id = _id and step.kind = 'sleep' and step.name = _name;
  seconds := extract(epoch from _until - clock_timestamp());
  standing := case when seconds > 0 then 'wait' else 'over' end;
  if standing = 'wait' then
    perform pgqueue.note_wait(_id, _claim, 'sleep', _name, null, null, null);
  end if;
end $$;
