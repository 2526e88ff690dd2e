-- The limit that rules a limit key: its own, else that of the longest beginning of it. No row if there is none.
-- A probe of limits_pkey for each character of the key; O(length).
create or replace function pgqueue.rule_of_key(_key text) returns setof pgqueue.limits
language sql
stable
set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
  select l.*
  from pgqueue.limits as l
  where l.scope = 'key'
    and l.name = any (array(
      select _key union select left(_key, n) || '*' from generate_series(0, length(_key)) as n))
  order by (l.name = _key and right(l.name, 1) <> '*') desc, length(l.name) desc
  limit 1
$$;
