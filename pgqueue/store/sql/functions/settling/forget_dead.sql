-- dead -> (forgotten), for those that died before a moment, in id order behind _after: looks at 20 times _limit jobs at
-- most, and forgets _limit. One that somebody has locked is passed.
-- Answers how many went, and the last id looked at: null when there are no more. Their attempts stay in the history;
-- an ordered lane that had stopped for one goes on, and what waited in a workflow for its success is cancelled.
-- Walks dead_jobs_queue or dead_jobs_pkey (dead_behind.sql); O(_limit log n).
create or replace function pgqueue.forget_dead(
  _queue text, _target text, _before timestamptz, _after uuid, _limit int, out forgotten int, out last uuid)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _looked uuid[];
  _meant uuid[];
begin
  perform pgqueue.note_act('dead purge', coalesce(_queue, _target));
  select array_agg(dead.id order by dead.id),
         array_agg(dead.id order by dead.id)
           filter (where dead.died_at <= _before and (_target is null or dead.target = _target))
    into _looked, _meant
  from pgqueue.dead_behind(_queue, _after, 20 * _limit) as dead;
  _meant := _meant[1:_limit];
  last := case when cardinality(_meant) = _limit then _meant[_limit] else _looked[cardinality(_looked)] end;
  forgotten := (select gone.forgotten from pgqueue.forget_dead_jobs(_meant) as gone);
end $$;
