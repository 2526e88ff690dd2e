-- Queues that have grown for as long as alert_bound() has it, and still do: of three equal parts of that time each was
-- fuller than the one before, the last by a fifth than the first, and at least a hundred jobs are ready. Of the 200
-- queues whose depths are noted. Walks depths_pkey and depths_queue; O(queues * minutes).
create or replace function pgqueue.growing_queues(_now timestamptz)
returns table (object text, n bigint, since timestamptz, facts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with newest as materialized (
    select d.queue, d.ready, pgqueue.alert_bound('growing', d.queue) as bound
    from pgqueue.depths as d
    where d.span = 60 and d.ready >= 100 and d.queue <> 'pgqueue.alerts'
      and d.minute = (
        select max(m.minute) from pgqueue.depths as m
        where m.span = 60 and m.minute <= _now and m.minute > _now - interval '5 minutes')
    limit 200
  )
  select newest.queue, newest.ready, noted.first, jsonb_build_object('before', round(noted.early))
  from newest
  cross join lateral (
    select min(d.minute) as first,
           avg(d.ready) filter (where d.minute < _now - make_interval(secs => newest.bound * 2 / 3)) as early,
           avg(d.ready) filter (where d.minute >= _now - make_interval(secs => newest.bound * 2 / 3)
                                  and d.minute < _now - make_interval(secs => newest.bound / 3)) as middle,
           avg(d.ready) filter (where d.minute >= _now - make_interval(secs => newest.bound / 3)) as last
    from (
      select each.minute, each.ready from pgqueue.depths as each
      where each.queue = newest.queue and each.span = 60 and each.minute <= _now
        and each.minute >= _now - make_interval(secs => newest.bound)
      order by each.minute desc limit 1500) as d) as noted
  where noted.first <= _now - make_interval(secs => newest.bound * 0.9)
    and noted.early < noted.middle and noted.middle < noted.last and noted.last > 1.2 * noted.early
    and newest.ready >= noted.middle;
end $$;
