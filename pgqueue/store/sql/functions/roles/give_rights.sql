-- Have everything belong to the migrator, and each role have the rights that it is to have, no more and no less; answers
-- how many statements that took. What is to be: rights_amiss.sql. For the owner, who else may be asked to own something.
create or replace function pgqueue.give_rights(_functions json, _relations json) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _texts text[];
  _text text;
  _count int := 0;
begin
  -- Twice: a right that is taken from a table takes those on its columns along.
  for round in 1..3 loop
    select array_agg(amiss.cure order by amiss.step, amiss.cure) into _texts
    from pgqueue.rights_amiss(_functions, _relations) as amiss;
    exit when _texts is null;
    foreach _text in array _texts loop
      execute _text;
      _count := _count + 1;
    end loop;
  end loop;
  return _count;
end $$;
