-- The cause of a failure: twelve digits that failures of one kind share. From its target, the type of its error, and the
-- last two frames of the task's own code in the traceback, or else the message without what differs from job to job.
-- As cause_of() in pgqueue/cause.py, which says why. No table; 0.2 ms.
create or replace function pgqueue.cause_of(_target text, _error_type text, _error text, _traceback text) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  _where text;
begin
  select string_agg(own.place, ' ' order by own.n) into _where
  from (
    select regexp_replace(found.frame[1], '^.*/', '') || ':' || found.frame[2] as place, line.n
    from unnest(string_to_array(_traceback, E'\n')) with ordinality as line (said, n)
    cross join lateral regexp_matches(line.said, '^[ |]*File "([^"]*)", line [0-9]+, in (.*)$') as found (frame)
    where line.said like '%File "%'
      and found.frame[1] !~ '^<|site-packages|dist-packages|/python[0-9]+[.0-9]*/|/pgqueue/(worker|store)/'
    order by line.n desc
    limit 2) as own;
  if coalesce(_where, '') = '' then
    _where := left(coalesce(_error, ''), 500);
    _where := regexp_replace(
      _where, '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}', '#', 'g');
    _where := regexp_replace(_where, $re$'[^'\n]*'|"[^"\n]*"$re$, '''#''', 'g');
    _where := regexp_replace(_where, '0x[0-9a-fA-F]+', '#', 'g');
    _where := regexp_replace(_where, E'[^ \\n]+@[^ \\n]+', '#', 'g');
    _where := regexp_replace(_where, '[0-9a-fA-F]*[0-9][0-9a-fA-F]*', '#', 'g');
    _where := regexp_replace(_where, '#([.:,/-]?#)+', '#', 'g');
  end if;
  return left(encode(sha256(convert_to(
    _target || E'\n' || coalesce(_error_type, '') || E'\n' || _where, 'UTF8')), 'hex'), 12);
end $$;
