-- The names of up to _limit queues behind _after, in order, that have jobs in lanes or coming to them, or that a claim
-- of keyed jobs looks after because they are limited; with _all every queue that has jobs, for those that are to move.
-- Loose scans of jobs_lane, jobs_coming and jobs_claim, queues_limited; O(_limit log n).
create or replace function pgqueue.keyed_queues(_after text, _limit int, _all boolean) returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  return array(
    with recursive names (queue, n) as (
      select _after collate "C", 0
      union all
      select (
        select min(found.queue)
        from (
          (select j.queue from pgqueue.jobs as j where j.lined and j.queue > names.queue order by j.queue limit 1)
          union all
          (select j.queue from pgqueue.jobs as j
           where j.lane is not null and j.lined is null and j.queue > names.queue order by j.queue limit 1)
          union all
          (select q.name from pgqueue.queues as q where q.limited and q.name > names.queue order by q.name limit 1)
          union all
          (select j.queue from pgqueue.jobs as j
           where _all and j.lane is null and j.queue > names.queue order by j.queue limit 1)) as found),
        names.n + 1
      from names
      where names.queue is not null and names.n < _limit
    )
    select names.queue from names
    where names.queue is not null and names.n > 0
      and (getdatabaseencoding() = 'UTF8' or names.queue = pgqueue.readable(names.queue)));
end $$;
