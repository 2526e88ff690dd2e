-- Whether these names cover a target: a name with a colon is a target, one without is a module whose functions, and
-- those of the modules below it, may be called. O(names), no table.
create or replace function pgqueue.knows(_names text[], _target text) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select _target = any (_names)
    or exists (
      select from unnest(_names) as app (name)
      where strpos(app.name, ':') = 0
        and (split_part(_target, ':', 1) = app.name or starts_with(_target, app.name || '.')))
$$;
