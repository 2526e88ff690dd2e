-- Whether a transaction has been open for so long that claims walk the rows of jobs that ended since: a part of
-- explain() and explain_queue(). Null if other roles' transactions may not be seen here, and none was.
-- Reads pg_stat_activity.
create or replace function pgqueue.explain_horizon()
returns table (code text, holds boolean, text text, detail jsonb, cure text)
language plpgsql stable
set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  _oldest record;
begin
  select who.pid, who.usename, who.application_name, who.state, who.xact_start into _oldest
  from pg_stat_activity as who
  where who.datname = current_database() and who.backend_xmin is not null and who.pid <> pg_backend_pid()
    and who.xact_start < clock_timestamp() - interval '5 minutes'
  order by who.xact_start
  limit 1;
  code := 'horizon';
  holds := case when found then true when pg_has_role('pg_read_all_stats', 'usage') then false end;
  text := case
    when holds then format('pid %s (%s) holds the horizon for %s: rows of ended jobs cannot be cleaned away, and claims '
                           || 'walk them', _oldest.pid,
                           concat_ws(', ', _oldest.usename, nullif(_oldest.application_name, ''), _oldest.state),
                           pgqueue.time_between(_oldest.xact_start, clock_timestamp()))
    when holds is null then 'whether a transaction holds the horizon is not known: this role may not see those of others'
    else 'no transaction holds the horizon' end;
  detail := jsonb_strip_nulls(jsonb_build_object(
    'pid', _oldest.pid, 'role', _oldest.usename, 'application', _oldest.application_name, 'since', _oldest.xact_start));
  cure := case when holds then format('select pg_terminate_backend(%s);', _oldest.pid) end;
  return next;
end $$;
