-- The claim number under which an attempt is recorded if its own is taken: by a row that somebody wrote by hand, or by
-- an ended job whose id was given to another one. What is there is history, and is kept. Walks attempts_pkey; O(log n).
create or replace function pgqueue.free_claim(_id uuid) returns int
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  return (
    select case when max(attempt.claim) < 2147483647 then max(attempt.claim) + 1 else min(attempt.claim) - 1 end
    from pgqueue.attempts as attempt
    where attempt.job_id = _id);
end $$;
