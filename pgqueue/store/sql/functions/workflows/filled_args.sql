-- The arguments of a job whose gate has opened: each of _inputs, by the name of the argument, or its place among
-- positional ones, is the results of others (result_of.sql); `+` is put before them. All else stays the text that it was,
-- so that numbers stay exact. O(results).
create or replace function pgqueue.filled_args(_args json, _inputs jsonb, _workflow uuid) returns json
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  _text text;
  _added text;
begin
  if json_typeof(_args) = 'array' then
    select string_agg(
             case when _inputs ? (each.n - 1)::text then pgqueue.result_of(_inputs -> (each.n - 1)::text, _workflow)
                  else each.value::text end, ',' order by each.n)
    into _text
    from json_array_elements(_args) with ordinality as each (value, n);
    return ('[' || concat_ws(',', case when _inputs ? '+' then pgqueue.result_of(_inputs -> '+', _workflow) end, _text)
            || ']')::json;
  end if;
  _text := btrim(_args::text, E' \t\n\r');
  if _inputs ? '+' and _text ~ '^\{\s*\}$' then
    -- No argument at all so far.
    return ('[' || pgqueue.result_of(_inputs -> '+', _workflow) || ']')::json;
  end if;
  select string_agg(to_json(each.key)::text || ':' || pgqueue.result_of(each.value, _workflow), ',' order by each.key)
  into _added
  from jsonb_each(_inputs) as each
  where each.key <> '+';
  return case when _added is null then _args::text
              when _text ~ '^\{\s*\}$' then '{' || _added || '}'
              else left(_text, -1) || ',' || _added || '}' end::json;
end $$;
