-- A worker says which schedules the code of an app declares, `_hash` standing for all of them. Of the sets that live
-- workers declare the one holds that was seen first last: so an old deploy beside a new one changes nothing, and after
-- the new one has gone, its own holds again. What is declared no more is paused, and people's schedules of the same name
-- stay theirs. Answers whether there is anything to say again later: without declarations there is not.
-- One at a time for an app. Walks schedule_sets_pkey, reads `workers`; O(declared log n) when they are applied.
create or replace function pgqueue.declare_schedules(_worker bigint, _source text, _hash text, _declared json)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  _revision int;
  _applied boolean;
  _highest int;
begin
  if json_array_length(_declared) = 0
    and not exists (select from pgqueue.schedule_sets as s where s.source = _source)
  then
    return false;
  end if;
  perform pg_advisory_xact_lock(7706, hashtext(_source));
  select coalesce(max(s.revision), 0) into _highest from pgqueue.schedule_sets as s where s.source = _source;
  insert into pgqueue.schedule_sets (source, hash, revision) values (_source, _hash, _highest + 1)
  on conflict do nothing;
  select s.revision, s.applied into _revision, _applied
  from pgqueue.schedule_sets as s where s.source = _source and s.hash = _hash;
  update pgqueue.workers as me
  set schedule_sets = array_append(coalesce(me.schedule_sets, '{}'), _source || '=' || _hash)
  where me.id = _worker and (_source || '=' || _hash) <> all (coalesce(me.schedule_sets, '{}'));
  if _applied or exists (
    select from pgqueue.schedule_sets as newer
    join pgqueue.workers as w
      on (newer.source || '=' || newer.hash) = any (w.schedule_sets) and w.expires_at > clock_timestamp()
    where newer.source = _source and newer.revision > _revision)
  then
    return true;
  end if;
  perform pgqueue.put_schedule(said.value, _source) from json_array_elements(_declared) as said;
  update pgqueue.schedules as s
  set paused_by = 'code'
  where s.source = _source and s.paused_by is null
    and s.name <> all (select said.value ->> 'name' from json_array_elements(_declared) as said);
  update pgqueue.schedule_sets as s set applied = (s.hash = _hash)
  where s.source = _source and s.applied <> (s.hash = _hash);
  delete from pgqueue.schedule_sets as s where s.source = _source and s.revision < _highest - 1000 and not s.applied;
  return true;
end $$;
