-- As merge_tallies(), for depths: of each hour, then of each day the last row of a queue stays, with the longest wait, and
-- all that came in. Answers how many rows went. Walks depths_pkey; O(_most log n).
create or replace function pgqueue.merge_depths(_most int) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _taken int;
  _sum int := 0;
begin
  for _level in 1..2 loop
    with old as materialized (
      (select d.ctid, 3600 as span, date_trunc('hour', d.minute, 'UTC') as since
       from pgqueue.depths as d
       where _level = 1 and d.span = 60 and d.minute < date_trunc('hour', now() - interval '48 hours', 'UTC')
       order by d.minute limit _most)
      union all
      (select d.ctid, 86400, date_trunc('day', d.minute, 'UTC')
       from pgqueue.depths as d
       where _level = 2 and d.span = 3600 and d.minute < date_trunc('day', now() - interval '90 days', 'UTC')
       order by d.minute limit _most)
    ), gone as (
      delete from pgqueue.depths as d using old
      where d.ctid = old.ctid
      returning d.*, old.span as wider, old.since
    ), merged as (
      insert into pgqueue.depths as kept (minute, span, queue, ready, later, running, dead, oldest, entered, exact)
      select last.since, last.wider, last.queue, last.ready, last.later, last.running, last.dead, last.longest,
             last.came, last.exact
      from (
        select distinct on (gone.since, gone.queue) gone.*,
               max(gone.oldest) over (partition by gone.since, gone.queue) as longest,
               sum(gone.entered) over (partition by gone.since, gone.queue) as came
        from gone
        order by gone.since, gone.queue, gone.minute desc) as last
      -- Of a part that was done before: this one is later.
      on conflict (span, minute, queue) do update
        set ready = excluded.ready, later = excluded.later, running = excluded.running, dead = excluded.dead,
            oldest = greatest(kept.oldest, excluded.oldest), exact = excluded.exact,
            entered = coalesce(kept.entered, 0) + coalesce(excluded.entered, 0)
    )
    select count(*) into _taken from gone;
    _sum := _sum + _taken;
  end loop;
  delete from pgqueue.depths as d
  where d.ctid = any (array(
    select old.ctid from pgqueue.depths as old
    where old.span = 86400 and old.minute < now() - interval '2 years'
    order by old.minute limit _most));
  get diagnostics _taken = row_count;
  return _sum + _taken;
end $$;
