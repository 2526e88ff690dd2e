-- A worker says which rules the code of an app declares: schedules and limits, `_hash` standing for all of them. Of the
-- sets that live workers declare the one holds that was seen first last: so an old deploy beside a new one changes
-- nothing, and after the new one has gone, its own holds again. A schedule that is declared no more is paused; a limit
-- goes, once no live worker declares an older set. What people have made of the same name stays theirs.
-- Answers whether there is anything to say again later: without declarations there is not.
-- One at a time for an app. Walks rule_sets_pkey, reads `workers`; O(limits log n), and O(schedules log n) when they are
-- applied.
create or replace function pgqueue.declare_rules(_worker bigint, _source text, _hash text, _declared json)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  _revision int;
  _applied boolean;
  _highest int;
  _live int[];
begin
  if json_array_length(_declared) = 0
    and not exists (select from pgqueue.rule_sets as s where s.source = _source)
  then
    return false;
  end if;
  perform pg_advisory_xact_lock(7706, hashtext(_source));
  select coalesce(max(s.revision), 0) into _highest from pgqueue.rule_sets as s where s.source = _source;
  insert into pgqueue.rule_sets (source, hash, revision) values (_source, _hash, _highest + 1)
  on conflict do nothing;
  select s.revision, s.applied into _revision, _applied
  from pgqueue.rule_sets as s where s.source = _source and s.hash = _hash;
  update pgqueue.workers as me
  set rule_sets = array_append(coalesce(me.rule_sets, '{}'), _source || '=' || _hash)
  where me.id = _worker and (_source || '=' || _hash) <> all (coalesce(me.rule_sets, '{}'));
  _live := array(
    select distinct s.revision from pgqueue.rule_sets as s
    join pgqueue.workers as w on (s.source || '=' || s.hash) = any (w.rule_sets) and w.expires_at > clock_timestamp()
    where s.source = _source and s.revision <> _revision);
  if _revision < any (_live) then
    return true;
  end if;
  -- Also if they were applied before: what people have removed since, and what only an older set declared.
  perform pgqueue.declare_limits(
    _source, array(select said.value -> 'limit' from json_array_elements(_declared) as said), _live <> '{}');
  if _applied then
    return true;
  end if;
  perform pgqueue.put_schedule(said.value -> 'schedule', _source)
  from json_array_elements(_declared) as said where said.value -> 'schedule' is not null;
  update pgqueue.schedules as s
  set paused_by = 'code'
  where s.source = _source and s.paused_by is null
    and s.name <> all (
      select said.value #>> '{schedule,name}' from json_array_elements(_declared) as said
      where said.value -> 'schedule' is not null);
  update pgqueue.rule_sets as s set applied = (s.hash = _hash)
  where s.source = _source and s.applied <> (s.hash = _hash);
  delete from pgqueue.rule_sets as s where s.source = _source and s.revision < _highest - 1000 and not s.applied;
  return true;
end $$;
