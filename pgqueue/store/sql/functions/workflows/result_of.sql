-- What an argument of a workflow's job refers to, as JSON: the result of a job (a text, its id); those of a node's jobs in
-- the order in which these were enqueued (a number); several such in an array; of {"first": [...]} the first that is
-- there. `null` where there is none, and in place of more than 1,000 results or a megabyte.
-- Walks results_pkey, results_workflow; O(results log n).
create or replace function pgqueue.result_of(_ref jsonb, _workflow uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  _most constant int := 1048576;
  _found text;
  _each jsonb;
begin
  case jsonb_typeof(_ref)
    when 'string' then
      select r.result::text into _found from pgqueue.results as r where r.job_id = (_ref #>> '{}')::uuid;
    when 'number' then
      select case when count(*) <= 1000 and sum(few.size) <= _most
                  then '[' || string_agg(few.text, ',' order by few.job_id) || ']'
                  when count(*) = 0 then '[]' end
      into _found
      from (
        select r.job_id, r.result::text as text, octet_length(r.result::text) as size
        from pgqueue.results as r
        where r.workflow_id = _workflow and r.node = (_ref #>> '{}')::int
        limit 1001) as few;
    when 'array' then
      select '[' || coalesce(string_agg(pgqueue.result_of(each.value, _workflow), ',' order by each.n), '') || ']'
      into _found
      from jsonb_array_elements(_ref) with ordinality as each (value, n);
    when 'object' then
      for _each in select each.value from jsonb_array_elements(_ref -> 'first') as each loop
        _found := pgqueue.result_of(_each, _workflow);
        exit when _found <> 'null';
      end loop;
    else
      _found := null;
  end case;
  return case when octet_length(_found) <= _most then _found else 'null' end;
end $$;
