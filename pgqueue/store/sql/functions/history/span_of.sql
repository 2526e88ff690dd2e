-- How much time a partition spans: a day of attempts, which are kept for a week; a month of dead jobs, kept for half a
-- year. No table.
create or replace function pgqueue.span_of(_table text) returns interval
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when _table like 'attempts%' then interval '1 day' else interval '1 month' end;
end $$;
