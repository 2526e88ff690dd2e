-- Give shares to jobs that were running when their rules came: until that is done nothing starts under a new rule, so
-- that it is exact from its first job on. Any worker that meets such a rule does it; one at a time, others answer false.
-- First it waits for the claims in flight that may have read the older rules: a claim reads `limits` and `workers`, and
-- holds both locks to its end. Ten seconds at most: no claim takes that long.
-- Reads all of `jobs`, once for a rule; O(jobs).
create or replace function pgqueue.adopt_limits() returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _scopes text[];
  _names text[];
  _changed timestamptz[];
  _before text[];
begin
  if not pg_try_advisory_xact_lock(7710, 0) then
    return false;
  end if;
  select array_agg(l.scope), array_agg(l.name), array_agg(l.changed_at) into _scopes, _names, _changed
  from pgqueue.limits as l where not l.adopted;
  if _names is null then
    return true;
  end if;
  _before := array(
    select read.virtualtransaction from pg_locks as read
    join pg_locks as leased on leased.virtualtransaction = read.virtualtransaction
    where read.relation = 'pgqueue.limits'::regclass and leased.relation = 'pgqueue.workers'::regclass
      and read.database = (select d.oid from pg_database as d where d.datname = current_database())
      and leased.database = read.database and read.pid <> pg_backend_pid());
  for round in 1..1000 loop
    exit when not exists (select from pg_locks as l where l.virtualtransaction = any (_before));
    perform pg_sleep(0.01);
  end loop;
  perform pgqueue.account(array(select job.id from pgqueue.jobs as job where job.worker >= 0));
  update pgqueue.limits as l
  set adopted = true
  from unnest(_scopes, _names, _changed) as seen (scope, name, changed_at)
  where l.scope = seen.scope and l.name = seen.name and l.changed_at = seen.changed_at;
  return true;
end $$;
