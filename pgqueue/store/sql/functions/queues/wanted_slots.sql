-- How many slots a queue needs for what is ready to begin within a time (_target_wait): for autoscalers. Never fewer than
-- its jobs that run, so that none of them is ended; one at least if anything is ready; none for what waits in a paused
-- queue; and no more than it has jobs.
-- The jobs of a queue of which nothing ended in a day are taken for ones of a second.
-- select pgqueue.wanted_slots('mail', '30 s');
-- Counts 10,000 jobs and estimates the rest (queue_depths.sql), and reads 2,000 attempts, or 20,000 rows of tallies
-- (mean_run.sql); O(those).
create or replace function pgqueue.wanted_slots(queue text, target_wait interval default '30 seconds') returns int
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  _wait constant float8 := extract(epoch from target_wait);
  _depth record;
  _seconds float8;
begin
  if queue is null or _wait is null or _wait <= 0 then
    raise exception 'target_wait must be more than 0, of a queue, got % of %', target_wait, queue
      using errcode = 'invalid_parameter_value', hint = 'such as pgqueue.wanted_slots(''mail'', ''30 s'')';
  end if;
  select depth.ready, depth.running, depth.paused into _depth
  from pgqueue.queue_depths(array[queue], 10000) as depth where depth.queue = wanted_slots.queue;
  if not found then
    return 0;
  end if;
  select mean.seconds into _seconds from pgqueue.mean_run(array[queue]) as mean;
  return least(
    2147483647,
    greatest(_depth.running, case when not _depth.paused and _depth.ready > 0
      then least(_depth.ready + _depth.running, greatest(1, ceil(_depth.ready * coalesce(_seconds, 1) / _wait))) end))::int;
end $$;
