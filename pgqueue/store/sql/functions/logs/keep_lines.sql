-- Keep lines that tasks said: at most 5,000 rows, each an object with job, claim, attempt, seq (from 1, in the order of
-- its attempt) and line, and as there is need level (debug, info, warning, error; else info) and at (else now).
-- For workers in any language. Not fenced: the lines of a late attempt stand under its claim, and harm nothing. What is
-- there already stays; what comes after the 1,001st line of an attempt, or makes no sense, is left out, and what is
-- longer than 8 KB is cut. Answers how many lines were new. Never looks at jobs; O(rows log n).
create or replace function pgqueue.keep_lines(_rows json) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _kept int;
begin
  if json_typeof(_rows) is distinct from 'array' or json_array_length(_rows) > 5000 then
    raise exception 'rows must be a JSON array of at most 5,000 objects, got %',
        case when json_typeof(_rows) = 'array' then json_array_length(_rows)::text else json_typeof(_rows) end
      using errcode = 'invalid_parameter_value';
  end if;
  insert into pgqueue.job_logs (job_id, at, claim, attempt, seq, level, line)
  select said.job, case when isfinite(said.at) then said.at else clock_timestamp() end, said.claim, said.attempt,
         said.seq, case when said.level in ('debug', 'warning', 'error') then said.level else 'info' end,
         -- No character takes more than four bytes.
         case when octet_length(said.line) > 8192 then left(said.line, 2000) else said.line end
  from json_to_recordset(_rows) as said (
    job uuid, at timestamptz, claim int, attempt smallint, seq int, level text, line text)
  where said.job is not null and said.claim is not null and said.attempt is not null and said.line is not null
    and said.seq between 1 and 1001
  on conflict do nothing;
  get diagnostics _kept = row_count;
  return _kept;
end $$;
