-- The job that has this limit's share while it waits, and is due: a retry in an ordered lane, which it holds. Null: none.
-- Walks holds_pkey, jobs_pkey; O(shares log n).
create or replace function pgqueue.waits_with_share(_name text) returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
as $$
begin
  return (
    select job.id
    from pgqueue.holds as h
    cross join lateral (
      select j.id from pgqueue.jobs as j
      where j.id = h.job_id and j.hold = h.seq and j.worker is null and j.run_at <= now()
      offset 0) as job
    where h.name = _name
    limit 1);
end $$;
