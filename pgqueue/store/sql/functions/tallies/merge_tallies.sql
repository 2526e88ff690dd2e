-- Make rows of tallies into fewer: those of all workers into one a minute after five minutes, minutes into hours after two
-- days, hours into days after 90; and drop what is older than two years. At most _most rows of each kind a call, deleted
-- and inserted in one statement, so that nothing is lost or counted twice; a span that is done in parts has more than one
-- row, which readers add up. Answers how many rows were taken. By one worker at a time: the duty is a row of ours.
-- Walks tallies_raw and tallies_span; O(_most log n).
create or replace function pgqueue.merge_tallies(_most int default 5000) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _taken int;
  _sum int := 0;
begin
  perform from pgqueue.duties as duty where duty.name = 'merge' for update skip locked;
  if not found then
    return 0;
  end if;
  for _level in 1..3 loop
    with old as materialized (
      (select t.ctid, 60 as span, t.minute
       from pgqueue.tallies as t
       where _level = 1 and t.worker is not null and t.minute < now() - interval '5 minutes'
       order by t.minute limit _most)
      union all
      (select t.ctid, 3600, date_trunc('hour', t.minute, 'UTC')
       from pgqueue.tallies as t
       where _level = 2 and t.span = 60 and t.worker is null
         and t.minute < date_trunc('hour', now() - interval '48 hours', 'UTC')
       order by t.minute limit _most)
      union all
      (select t.ctid, 86400, date_trunc('day', t.minute, 'UTC')
       from pgqueue.tallies as t
       where _level = 3 and t.span = 3600 and t.minute < date_trunc('day', now() - interval '90 days', 'UTC')
       order by t.minute limit _most)
    ), gone as (
      delete from pgqueue.tallies as t using old
      where t.ctid = old.ctid
      returning t.*, old.span as wider, old.minute as since
    ), merged as (
      insert into pgqueue.tallies (minute, span, queue, target, outcome, cause, n, ended, wait, run, degraded)
      select gone.since, gone.wider, gone.queue, gone.target, gone.outcome, gone.cause, sum(gone.n), sum(gone.ended),
             case when count(gone.wait) > 0 then array[
               sum(gone.wait[1]), sum(gone.wait[2]), sum(gone.wait[3]), sum(gone.wait[4]), sum(gone.wait[5]),
               sum(gone.wait[6]), sum(gone.wait[7]), sum(gone.wait[8]), sum(gone.wait[9]), sum(gone.wait[10]),
               sum(gone.wait[11]), sum(gone.wait[12]), sum(gone.wait[13]), sum(gone.wait[14]), sum(gone.wait[15]),
               sum(gone.wait[16]), sum(gone.wait[17]), sum(gone.wait[18]), sum(gone.wait[19]), sum(gone.wait[20]),
               sum(gone.wait[21]), sum(gone.wait[22]), sum(gone.wait[23]), sum(gone.wait[24]), sum(gone.wait[25])]::bigint[] end,
             case when count(gone.run) > 0 then array[
               sum(gone.run[1]), sum(gone.run[2]), sum(gone.run[3]), sum(gone.run[4]), sum(gone.run[5]),
               sum(gone.run[6]), sum(gone.run[7]), sum(gone.run[8]), sum(gone.run[9]), sum(gone.run[10]),
               sum(gone.run[11]), sum(gone.run[12]), sum(gone.run[13]), sum(gone.run[14]), sum(gone.run[15]),
               sum(gone.run[16]), sum(gone.run[17]), sum(gone.run[18]), sum(gone.run[19]), sum(gone.run[20]),
               sum(gone.run[21]), sum(gone.run[22]), sum(gone.run[23]), sum(gone.run[24]), sum(gone.run[25])]::bigint[] end,
             bool_or(gone.degraded)
      from gone
      group by gone.since, gone.wider, gone.queue, gone.target, gone.outcome, gone.cause
    )
    select count(*) into _taken from gone;
    _sum := _sum + _taken;
  end loop;
  delete from pgqueue.tallies as t
  where t.ctid = any (array(
    select old.ctid from pgqueue.tallies as old
    where old.span = 86400 and old.minute < now() - interval '2 years'
    order by old.minute limit _most));
  get diagnostics _taken = row_count;
  return _sum + _taken + pgqueue.merge_depths(_most) + pgqueue.forget_causes(_most / 10);
end $$;
