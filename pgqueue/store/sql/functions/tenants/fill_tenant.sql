-- What belongs to a job, or to a workflow, is of its tenant. Called by the trigger tenant_filled, which is there only while
-- tenants are on. What belongs to something that the caller does not see gets a tenant that nobody can act for, and is
-- refused by the policy. Stable, so that it sees a job that the same statement deletes.
-- Walks jobs_pkey, attempts_pkey, dead_jobs_pkey, waiting_id, or workflows_pkey; O(log n).
create or replace function pgqueue.fill_tenant() returns trigger
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
  _id uuid;
begin
  if tg_argv[0] = 'workflow_id' then
    select w.tenant into new.tenant from pgqueue.workflows as w where w.id = new.workflow_id;
  else
    if tg_argv[0] = 'scope' then
      _id := new.scope;
    else
      _id := new.job_id;
    end if;
    select job.tenant into new.tenant from pgqueue.jobs as job where job.id = _id;
    if not found then
      select ended.tenant into new.tenant from pgqueue.attempts as ended where ended.job_id = _id limit 1;
    end if;
    if not found then
      select dead.tenant into new.tenant from pgqueue.dead_jobs as dead where dead.id = _id;
    end if;
    if not found then
      select w.tenant into new.tenant from pgqueue.waiting as w where w.id = _id;
    end if;
  end if;
  if not found and pgqueue.tenant_now() is not null then
    new.tenant := '?';
  end if;
  return new;
end $$;
