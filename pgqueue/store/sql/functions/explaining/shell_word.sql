-- A text as one word of a shell's command, whatever stands in it: a name that somebody chose must not become a command.
-- O(length), no table.
create or replace function pgqueue.shell_word(_text text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when _text ~ '^[A-Za-z0-9_][A-Za-z0-9_./:@%+=-]*$' then _text
              else '''' || replace(_text, '''', '''\''''') || '''' end
$$;
