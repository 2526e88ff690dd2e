-- Switch tenants on, or off: row-level security on every table of pgqueue. Who is not one of _sees_all, nor the owner, sees
-- and writes what is of the tenant that tenant_now() tells, and of nobody else; of tables that are not named here, nothing.
-- Where roles were made (make_roles.sql), functions and views run with the rights of their owner, who is no superuser: then
-- that one is under the policies, too, which ask for whom it acts. Elsewhere views read with the rights of who asks, for
-- which PostgreSQL 14 knows no way.
-- Rows are not looked at: it costs a moment of locks on all tables, which the caller holds. Called again it is as it says.
-- For the owner of the schema. O(tables).
create or replace function pgqueue.set_tenants(_on boolean, _sees_all text[] default '{}') returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _now constant text := '(select pgqueue.tenant_now())';
  -- Null, for who sees all, is true.
  _own constant text := format('coalesce(coalesce(tenant, '''') = %s, true)', _now);
  _all constant text := (select string_agg(quote_ident(role), ', ' order by role) from unnest(_sees_all) as role);
  _forced constant boolean := exists (select from pgqueue.roles);
  _table record;
begin
  if _on and current_setting('server_version_num')::int < 150000 and not _forced then
    raise exception 'tenants need PostgreSQL 15 or newer, this is %', current_setting('server_version')
      using errcode = 'feature_not_supported', schema = 'pgqueue',
            hint = 'before 15 a view shows to everybody what its owner may see, unless pgqueue has made its roles: pgqueue migrate --roles';
  end if;
  for _table in
    select c.oid::regclass as name, said.how, said.checked, said.job, c.relispartition as is_part,
           -- Of the copy of a table that is given partitions its triggers write, for whomever.
           _forced and not c.relispartition and c.relname <> 'tenant_roles'
             and c.relname !~ '^(attempts|dead_jobs)_(copy|before)$' as is_forced,
           c.relname <> 'tenant_roles' and exists (
             select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'tenant') as has_tenant
    from pg_class as c
    left join (values
      ('jobs', _own, 'pgqueue.is_tenant_key(unique_key, tenant)', null),
      ('workflows', _own, 'pgqueue.is_tenant_key(unique_key, tenant)', null),
      ('attempts', _own, null, null), ('dead_jobs', _own, null, null), ('waiting', _own, null, null),
      ('schedules', _own, null, null), ('feeds', _own, null, null), ('audit', _own, null, null),
      ('nodes', _own, null, 'workflow_id'), ('gates', _own, null, 'workflow_id'), ('arrivals', _own, null, 'workflow_id'),
      -- Workers would see it through, with their own rights.
      ('operations', _own, format('coalesce(not detached or %s is null, true)', _now), null),
      ('results', _own, null, 'job_id'), ('cancellations', _own, null, 'job_id'), ('parked', _own, null, 'job_id'),
      ('revisions', _own, null, 'job_id'), ('job_logs', _own, null, 'job_id'), ('lineage', _own, null, 'job_id'),
      ('progress', _own, null, 'job_id'), ('checkpoints', _own, null, 'job_id'), ('manual_jobs', _own, null, 'job_id'),
      ('steps', _own, null, 'job_id'), ('waits', _own, null, 'job_id'), ('abandoned', _own, null, 'job_id'),
      ('holds', _own, null, 'job_id'), ('signals', _own, null, 'scope'),
      ('unique_windows', format('coalesce(pgqueue.is_tenant_key(unique_key, %s) or %1$s is null, true)', _now), null, null),
      ('effects', format('coalesce(pgqueue.is_tenant_key(scope, %s) or %1$s is null, true)', _now), null, null),
      ('ticks', 'exists (select from pgqueue.schedules as s where s.name = schedule)', null, null),
      ('feed_batches', 'exists (select from pgqueue.feeds as f where f.name = feed)', null, null)
    ) as said (name, how, checked, job) on said.name = c.relname
    where c.relnamespace = 'pgqueue'::regnamespace and c.relkind in ('r', 'p')
      and c.relname not in ('alembic_version', 'roles')
    order by c.oid
  loop
    execute format('drop policy if exists own_tenant on %s', _table.name);
    execute format('drop policy if exists shared on %s', _table.name);
    execute format('drop policy if exists all_tenants on %s', _table.name);
    execute format('drop trigger if exists tenant_filled on %s', _table.name);
    if _table.has_tenant then
      execute format('alter table %s alter column tenant %s', _table.name, case when _on
        then 'set default nullif(current_setting(''pgqueue.tenant'', true), '''')' else 'drop default' end);
    end if;
    execute format('alter table %s %s row level security, %s force row level security', _table.name,
                   case when _on then 'enable' else 'disable' end,
                   case when _on and _table.is_forced then '' else 'no' end);
    continue when not _on or _table.is_part;
    if _table.job is not null then
      execute format('create trigger tenant_filled before insert or update of %I on %s for each row'
                     ' execute function pgqueue.fill_tenant(%1$L)', _table.job, _table.name);
    end if;
    if _table.how is not null then
      execute format('create policy own_tenant on %s using (%s) with check (%2$s%s)', _table.name, _table.how,
                     ' and ' || _table.checked);
    elsif _table.is_forced then
      -- Functions that run with the rights of the owner, for who sees all.
      execute format('create policy own_tenant on %s using (%s is null) with check (%2$s is null)', _table.name, _now);
    end if;
    if _all is not null then
      execute format('create policy all_tenants on %s to %s using (true) with check (true)', _table.name, _all);
    end if;
  end loop;
  for _table in
    -- What is said of the whole queue, and of no job: everybody reads it, and who sees all tenants alone writes it.
    select shared.name::regclass as name, shared.how
    from (values
      ('pgqueue.queues', 'true'), ('pgqueue.workers', 'true'), ('pgqueue.targets', 'true'), ('pgqueue.routes', 'true'),
      ('pgqueue.sensitive', 'true'), ('pgqueue.follow_ups', 'true'), ('pgqueue.rule_sets', 'true'),
      ('pgqueue.duties', 'true'), ('pgqueue.role_limits', 'true'),
      ('pgqueue.limits', 'scope <> ''key''')) as shared (name, how)
    where _on
  loop
    execute format('create policy shared on %s for select using (%s)', _table.name, _table.how);
  end loop;
  for _table in
    select c.oid::regclass as name from pg_class as c
    where c.relnamespace = 'pgqueue'::regnamespace and c.relkind = 'v'
    order by c.relname
  loop
    execute format(case when _on and not _forced then 'alter view %s set (security_invoker = true)'
                        else 'alter view %s reset (security_invoker)' end, _table.name);
  end loop;
end $$;
