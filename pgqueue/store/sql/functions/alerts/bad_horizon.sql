-- The transaction, prepared or not, that has kept ended jobs from being cleaned away for longest, if for as long as
-- alert_bound() has it. Those of other roles are seen by a role of pg_monitor alone. Reads the server's sessions.
create or replace function pgqueue.bad_horizon(_now timestamptz)
returns table (object text, n bigint, since timestamptz, facts jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_column
begin
  return query
  select '', 0::bigint, holder.began, jsonb_build_object('who', left(holder.who, 300), 'sql', holder.cure)
  from (
    select a.xact_start as began,
           format('pid %s (%s)', a.pid, concat_ws(', ', a.usename, nullif(a.application_name, ''), a.state)) as who,
           format('select pg_terminate_backend(%s);', a.pid) as cure
    from pg_stat_activity as a
    where a.datname = current_database() and a.pid <> pg_backend_pid()
      and (a.backend_xmin is not null or a.backend_xid is not null)
      and coalesce(a.backend_type, 'client backend') not in ('walsender', 'autovacuum worker')
    union all
    select p.prepared, format('prepared transaction %s of %s', p.gid, p.owner), format('rollback prepared %L;', p.gid)
    from pg_prepared_xacts as p
    where p.database = current_database()) as holder
  where holder.began < _now - make_interval(secs => pgqueue.alert_bound('horizon'))
  order by holder.began
  limit 1;
end $$;
