-- The last look of a durable function at what it waits for, in the statement that gives it back: whoever sends a signal
-- has the advisory lock (7714, its hash), which is tried here and never waited for, so that either this look sees the
-- signal, or its sender the job.
-- Walks waits_pkey, signals_pkey, jobs_pkey; O(jobs awaited log n).
create or replace function pgqueue.lay_down(_id uuid, _claim int) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _wait pgqueue.waits;
begin
  select * into _wait from pgqueue.waits as w where w.job_id = _id and w.claim = _claim and w.scope is not null;
  if found then
    perform pgqueue.pass_on(_wait);
  end if;
end $$;
