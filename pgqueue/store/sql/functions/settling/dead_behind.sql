-- Dead jobs in id order behind _after (null: from the first on), of a queue or of all (null), at most _limit.
-- Walks dead_jobs_queue or dead_jobs_pkey; O(_limit + log n).
create or replace function pgqueue.dead_behind(_queue text, _after uuid, _limit int)
returns table (id uuid, target text, died_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  _from constant uuid := coalesce(_after, '00000000-0000-0000-0000-000000000000');
begin
  if _queue is null then
    return query
    select dead.id, dead.target, dead.died_at
    from pgqueue.dead_jobs as dead
    where dead.id >= _from and (_after is null or dead.id > _from)
    order by dead.id
    limit _limit;
  else
    -- The queue as a range, whose order one index alone has: else the planner may walk all dead jobs by id, and filter.
    return query
    select dead.id, dead.target, dead.died_at
    from pgqueue.dead_jobs as dead
    where (dead.queue, dead.id) >= (_queue, _from) and dead.queue <= _queue
      and (_after is null or dead.id > _from)
    order by dead.queue, dead.id
    limit _limit;
  end if;
end $$;
