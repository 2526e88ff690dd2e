-- A job and the jobs that it brought, generation by generation, _limit at most: the children of each in the order in
-- which they came, of _id itself only those behind the child _after. `more`: it has children that are not among them.
-- State and target are null of what history does not keep any more; no row: nothing is known of _id.
-- Walks lineage_children once a job, and primary keys; O(_limit log n).
create or replace function pgqueue.job_tree(_id uuid, _limit int default 1000, _after uuid default null)
returns table (id uuid, parent_id uuid, generation int, nth int, how text, target text, queue text, state text,
               more boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  _ids uuid[] := array[_id];
  _parents uuid[] := array[null::uuid];
  _generations int[] := array[0];
  _nths int[] := array[null::int];
  _hows text[] := array[null::text];
  _mores boolean[] := array[false];
  _behind int := coalesce((select l.nth from pgqueue.lineage as l where l.job_id = _after and l.parent_id = _id), 0);
  _at int := 1;
  _child record;
begin
  select line.parent_id, line.nth, line.how into _child from pgqueue.lineage as line where line.job_id = _id;
  _parents[1] := _child.parent_id;
  _nths[1] := _child.nth;
  _hows[1] := _child.how;
  while _at <= cardinality(_ids) loop
    for _child in
      select l.job_id, l.nth, l.how
      from pgqueue.lineage as l
      where l.parent_id = _ids[_at]
        and (l.nth, l.job_id) > (case when _at = 1 then _behind else 0 end,
                                 case when _at = 1 and _after is not null then _after
                                      else '00000000-0000-0000-0000-000000000000' end)
      order by l.nth, l.job_id
      limit _limit - cardinality(_ids) + 1
    loop
      if cardinality(_ids) >= _limit then
        _mores[_at] := true;
        exit;
      end if;
      _ids := _ids || _child.job_id;
      _parents := _parents || _ids[_at];
      _generations := _generations || _generations[_at] + 1;
      _nths := _nths || _child.nth;
      _hows := _hows || _child.how;
      _mores := _mores || false;
    end loop;
    _at := _at + 1;
  end loop;
  return query
  select member.id, member.parent_id, member.generation, member.nth, member.how, job.target, job.queue, job.state,
         member.more
  from unnest(_ids, _parents, _generations, _nths, _hows, _mores) with ordinality
    as member (id, parent_id, generation, nth, how, more, place)
  left join lateral (
    select one.target, one.queue, one.state from pgqueue.job as one where one.id = member.id limit 1) as job on true
  where member.place > 1 or member.how is not null or job.state is not null or cardinality(_ids) > 1
  order by member.place;
end $$;
