-- Compute the causes of dead jobs that have none: whose worker vanished, or which died under an earlier release. Answers
-- how many it did, at most _most. Those that somebody has in hand are passed. Walks dead_jobs_cause; O(_most log n).
create or replace function pgqueue.find_causes(_most int default 200) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _found jsonb;
begin
  with nameless as materialized (
    select dead.id, dead.died_at, dead.error_type, left(dead.error, 500) as error,
           pgqueue.cause_of(dead.target, dead.error_type, dead.error, dead.traceback) as cause
    from pgqueue.dead_jobs as dead
    where dead.cause is null
    order by dead.id desc
    limit _most
    for no key update skip locked
  ), named as (
    update pgqueue.dead_jobs as dead set cause = nameless.cause
    from nameless
    where dead.id = any (array(select n.id from nameless as n)) and dead.id = nameless.id
    returning nameless.cause, dead.target, nameless.error_type, nameless.error, nameless.died_at as first_at
  )
  select jsonb_agg(to_jsonb(named)) into _found from named;
  if _found is null then
    return 0;
  end if;
  perform pgqueue.note_causes(_found);
  return jsonb_array_length(_found);
end $$;
