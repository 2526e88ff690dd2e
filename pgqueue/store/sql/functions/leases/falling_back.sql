-- Which of these jobs of vanished workers fall back, and to what: those whose task says so of attempts that are lost,
-- as its worker has told (workers.fallbacks), after so many attempts, or where they would be dead. None while no worker
-- says so. A part of lose_together(), whose arguments it takes. Walks workers_pkey, jobs_pkey; O(batch log n).
create or replace function pgqueue.falling_back(
  _ids uuid[], _workers bigint[], _suspects boolean[], _once boolean[], out ids uuid[], out fallbacks text[])
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
  if not exists (select from pgqueue.workers as w where w.id = any (_workers) and w.fallbacks is not null) then
    ids := '{}';
    return;
  end if;
  select coalesce(array_agg(job.id), '{}'), array_agg(said.fallback) into ids, fallbacks
  from unnest(_ids, _workers, _suspects, _once) as told (id, worker, suspect, once)
  cross join lateral (
    select held.id, held.target, held.attempt, held.max_attempts, held.crashes, held.fallen_from
    from pgqueue.jobs as held
    where held.id = told.id and held.worker = told.worker
    offset 0) as job
  cross join lateral (
    select w.fallbacks -> job.target ->> 0 as fallback, (w.fallbacks -> job.target ->> 1)::int as after
    from pgqueue.workers as w
    where w.id = told.worker and w.fallbacks -> job.target is not null
    offset 0) as said
  where (job.attempt >= said.after or told.once or job.crashes + told.suspect::int >= 3
         or job.attempt >= coalesce(job.max_attempts, 26))
    and (said.fallback = 'human'
         or said.fallback <> job.target and said.fallback <> all (coalesce(job.fallen_from, '{}'))
            and coalesce(cardinality(job.fallen_from), 0) < 7);
end $$;
