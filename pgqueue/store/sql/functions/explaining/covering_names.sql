-- All that a worker may have named so that it covers a target, as knows() has it: the target itself, its module, and the
-- modules above that. For asking very many workers: `names && covering_names(target)`. O(length), no table.
create or replace function pgqueue.covering_names(_target text) returns text[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(array_to_string(parts.words[:n], '.')) || _target
  from (select string_to_array(split_part(_target, ':', 1), '.') as words) as parts,
       generate_series(1, cardinality(parts.words)) as n
$$;
