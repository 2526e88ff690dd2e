-- Idle workers hear of those of these jobs that wait again, and fall due within ten seconds: of what is later a look
-- tells. Walks jobs_pkey; O(batch log n).
create or replace function pgqueue.wake_for(_ids uuid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  perform pgqueue.wake(waiting.queue)
  from (
    select distinct job.queue
    from unnest(_ids) as named (id)
    cross join lateral (
      select held.queue from pgqueue.jobs as held
      where held.id = named.id and held.worker is null and held.run_at <= clock_timestamp() + interval '10 seconds'
      offset 0) as job) as waiting;
end $$;
