-- The rows of tallies from a moment on until another, the newest first: at most _budget. A span counts if it begins there.
-- Walks tallies_span, once per span: minutes, hours, days; O(_budget). Becomes part of the statement that asks, which reads
-- only the columns that it needs and stores nothing: plan it without sequential scans. Bound to pg_catalog when it is
-- created.
create or replace function pgqueue.tallied(_since timestamptz, _until timestamptz, _budget int)
returns setof pgqueue.tallies
language sql stable
begin atomic
  select * from (
    (select t.* from pgqueue.tallies as t
     where t.span = 60 and t.minute >= date_trunc('minute', _since) and t.minute < _until
     order by t.minute desc limit _budget)
    union all
    (select t.* from pgqueue.tallies as t
     where t.span = 3600 and t.minute >= date_trunc('hour', _since, 'UTC') and t.minute < _until
     order by t.minute desc limit _budget)
    union all
    (select t.* from pgqueue.tallies as t
     where t.span = 86400 and t.minute >= date_trunc('day', _since, 'UTC') and t.minute < _until
     order by t.minute desc limit _budget)) as found
  limit _budget;
end;
