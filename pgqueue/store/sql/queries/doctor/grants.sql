-- Roles whose rights are incomplete, 50 at most, with the grant that completes them: who may work on jobs and not on
-- what goes with them; who may enqueue and not say all that a job may say; who may look at jobs and not at the rest.
-- As after a migration that brought a table or a column (docs/guides/roles.md). Not of the roles that pgqueue has made, and
-- of their members: what these are to have is another question. Reads the catalogue.
with others as (
  select r.oid, r.rolname from pg_roles as r
  where not r.rolsuper and r.rolname !~ '^pg_' and has_schema_privilege(r.oid, 'pgqueue', 'usage')
    and not pg_has_role(r.oid, (select n.nspowner from pg_namespace as n where n.nspname = 'pgqueue'), 'usage')
    and not exists (
      select from pgqueue.roles as ours join pg_roles as made on made.rolname = ours.role
      where pg_has_role(r.oid, made.oid, 'usage'))
), parts as (
  select c.oid, c.relname, c.relkind from pg_class as c
  where c.relnamespace = 'pgqueue'::regnamespace and c.relkind in ('r', 'p', 'v', 'S') 
    -- But those that a table is copied to (copy_history.sql).
    and not c.relispartition and c.relname !~ '^(alembic_version|partitioning|(attempts|dead_jobs)_(copy|gone|before))$'
), working as (
  select others.* from others
  where has_table_privilege(others.oid, 'pgqueue.jobs', 'insert') and has_table_privilege(others.oid, 'pgqueue.jobs', 'update')
    and has_table_privilege(others.oid, 'pgqueue.jobs', 'delete')
), lacking as (
  select 'FAIL' as severity, working.rolname, parts.relname, 'work' as verb,
         case when parts.relkind = 'S' then format('grant usage on sequence pgqueue.%I to %I;', parts.relname, working.rolname)
              else format('grant select, insert, update, delete on pgqueue.%I to %I;', parts.relname, working.rolname) end as cure
  from working cross join parts
  where parts.relkind <> 'v' and not case
    when parts.relkind = 'S' then has_sequence_privilege(working.oid, parts.oid, 'usage')
    else has_table_privilege(working.oid, parts.oid, 'select') and has_table_privilege(working.oid, parts.oid, 'insert')
      and has_table_privilege(working.oid, parts.oid, 'update') and has_table_privilege(working.oid, parts.oid, 'delete') end
  union all
  select 'FAIL', others.rolname, 'column ' || told.name, 'enqueue',
         format('grant insert (%I) on pgqueue.jobs to %I;', told.name, others.rolname)
  from others
  cross join unnest('{id,queue,target,args,priority,run_at,expires_at,timeout,max_attempts,unique_key,start_key,limit_key,cost,lane,lined,store_result,labels,headers,follow_ups}'::text[])
    as told (name)
  where not has_table_privilege(others.oid, 'pgqueue.jobs', 'insert')
    and has_column_privilege(others.oid, 'pgqueue.jobs', 'target', 'insert')
    and not has_column_privilege(others.oid, 'pgqueue.jobs', told.name, 'insert')
  union all
  select 'warn', others.rolname, parts.relname, 'look',
         format('grant select on pgqueue.%I to %I;', parts.relname, others.rolname)
  from others cross join parts
  where parts.relkind <> 'S' and others.oid not in (select working.oid from working)
    and has_table_privilege(others.oid, 'pgqueue.jobs', 'select') and not has_table_privilege(others.oid, parts.oid, 'select')
)
select lacking.severity, lacking.rolname, lacking.verb, lacking.relname, lacking.cure
from lacking
order by lacking.severity, lacking.rolname, lacking.relname
limit 50
