-- fail() as workers of the last release call it: the causes of dead jobs are computed later (find_causes.sql).
create or replace function pgqueue.fail(
  _worker bigint, _ids uuid[], _claims int[], _outcomes text[], _delays float8[], _reasons text[],
  _error_types text[], _errors text[], _tracebacks text[])
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  return pgqueue.fail(
    _worker, _ids, _claims, _outcomes, _delays, _reasons, _error_types, _errors, _tracebacks,
    array_fill(null::text, array[cardinality(_ids)]));
end $$;
